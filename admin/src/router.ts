import { computed, signal } from "@preact/signals";
import table from "./routes.json";

/** Every place of the dashboard. The URL is the only store of where somebody is, so a reload or a shared link lands there. */
export type Route =
  | { name: PlainPage }
  | { name: "setup"; token: string }
  | { name: "login"; next: string }
  | { name: "inbox"; projectId: string; feedbackId: string | null; query: URLSearchParams }
  | { name: "install"; projectId: string }
  | { name: "settings"; projectId: string }
  | { name: "visitors"; projectId: string }
  | { name: "insights"; projectId: string }
  | { name: "jobs"; projectId: string; query: URLSearchParams }
  | { name: "missing" };

type PlainPage = "projects" | "preferences" | "account" | "team" | "keys" | "audit" | "forgot" | "reset" | "verify" | "signup" | "join";

/** Pages for which nobody has to be signed in. */
export const isOpen = ({ name }: Route): boolean => isEntrance(name) || name === "forgot" || name === "reset" || name === "verify" || name === "join";

/** Pages that are for who is not signed in, and for nobody else. */
export const isEntrance = (name: Route["name"]): boolean => name === "login" || name === "setup" || name === "signup";

type Named = Exclude<Route["name"], "missing">;

/** Where each page is. The server reads the same table: a page that it does not know would be a 404 after a reload. */
const paths = Object.entries(table satisfies Record<Named, string>).map(([name, path]) => ({ name: name as Named, pattern: pattern(path) }));

/** `:project` is a part of the path, `/:item?` one that may be left out. */
function pattern(path: string): RegExp {
  const segment = "([0-9a-zA-Z-]+)";
  return new RegExp(`^${path.replace("/:item?", `(?:/${segment})?`).replace(":project", segment)}$`);
}

/** Reads a path of our own origin; anything unknown is `missing`, never a guess. */
export function parseRoute(href: string): Route {
  const url = new URL(href, "http://dashboard.invalid");
  // A trailing slash is a slip of the hand, not another page.
  const path = url.pathname.length > 1 ? url.pathname.replace(/\/+$/, "") : url.pathname;
  for (const { name, pattern } of paths) {
    const found = pattern.exec(path);
    if (found) return routeOf(name, url, found[1] ?? "", found[2] ?? null);
  }
  return { name: "missing" };
}

function routeOf(name: Named, url: URL, projectId: string, feedbackId: string | null): Route {
  switch (name) {
    case "login":
      return { name, next: safeNext(url.searchParams.get("next")) };
    case "setup":
      return { name, token: new URLSearchParams(url.hash.slice(1)).get("token") ?? "" };
    case "inbox":
      return { name, projectId, feedbackId, query: url.searchParams };
    case "jobs":
      return { name, projectId, query: url.searchParams };
    case "install":
    case "insights":
    case "visitors":
    case "settings":
      return { name, projectId };
    default:
      return { name };
  }
}

/**
 * The place to return to after signing in. Only a path of this origin: `//evil.example` and `/\evil.example` are
 * absolute URLs to a browser, and the sign-in page itself would loop.
 */
export function safeNext(next: string | null): string {
  if (!next || !next.startsWith("/") || /^\/[/\\]/.test(next) || /[\u0000-\u001f]/.test(next)) return "/";
  const { name } = parseRoute(next);
  return isEntrance(name) || name === "missing" ? "/" : next;
}

export function inboxHref(projectId: string, feedbackId: string | null, query?: URLSearchParams): string {
  const search = query?.toString();
  return `/projects/${projectId}/inbox${feedbackId ? `/${feedbackId}` : ""}${search ? `?${search}` : ""}`;
}

export function loginHref(next: string): string {
  const target = safeNext(next);
  return target === "/" ? "/login" : `/login?next=${encodeURIComponent(target)}`;
}

/** The links that bring a secret in their fragment, for somebody who may not be signed in. */
const keyed: ReadonlySet<Route["name"]> = new Set(["reset", "verify", "join"]);

/** What those links brought, by page, for as long as the window is there. */
const brought = signal<Readonly<Record<string, string>>>({});

/** The token of the link that led to a page, "" where it had none. */
export const linkToken = (page: "reset" | "verify" | "join"): string => brought.value[page] ?? "";

/**
 * Where the browser is. A secret is taken out of the address bar before anything is drawn: it would stay in the history,
 * and on the screen of whoever shows theirs.
 */
function here(): string {
  const { name } = parseRoute(location.pathname);
  const token = keyed.has(name) && new URLSearchParams(location.hash.slice(1)).get("token");
  if (token) {
    brought.value = { ...brought.peek(), [name]: token };
    history.replaceState(history.state, "", location.pathname);
  }
  return location.pathname + location.search + location.hash;
}

/** Path, query and fragment of the current place. */
export const currentHref = signal(here());
export const route = computed(() => parseRoute(currentHref.value));

export function navigate(href: string, options: { replace?: boolean } = {}): void {
  // To where one is already: a second entry would make the way back do nothing.
  if (href === currentHref.peek()) return;
  if (options.replace) history.replaceState(null, "", href);
  else history.pushState(null, "", href);
  currentHref.value = here();
}

/** Lets plain links move without a page load. Modified clicks, downloads, new windows and foreign paths stay the browser's. */
export function startRouter(target: Document): void {
  window.addEventListener("popstate", () => (currentHref.value = here()));
  window.addEventListener("hashchange", () => (currentHref.value = here()));
  target.addEventListener("click", (event) => {
    if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    const link = event.target instanceof Element ? event.target.closest("a[href]") : null;
    if (!(link instanceof HTMLAnchorElement) || link.target || link.hasAttribute("download")) return;
    if (link.origin !== location.origin) return;
    const href = link.pathname + link.search + link.hash;
    // The API's own pages and anything else of this origin that is not ours loads as usual.
    if (parseRoute(href).name === "missing" || link.getAttribute("href")?.startsWith("#")) return;
    event.preventDefault();
    navigate(href);
  });
}
