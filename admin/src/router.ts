import { computed, signal } from "@preact/signals";

/** Every place of the dashboard. The URL is the only store of where somebody is, so a reload or a shared link lands there. */
export type Route =
  | { name: "projects" }
  | { name: "preferences" }
  | { name: "setup"; token: string }
  | { name: "login"; next: string }
  | { name: "inbox"; projectId: string; feedbackId: string | null; query: URLSearchParams }
  | { name: "install"; projectId: string }
  | { name: "settings"; projectId: string }
  | { name: "insights"; projectId: string }
  | { name: "jobs"; projectId: string; query: URLSearchParams }
  | { name: "missing" };

const segment = "([0-9a-zA-Z-]+)";
const inboxPath = new RegExp(`^/projects/${segment}/inbox(?:/${segment})?$`);
const installPath = new RegExp(`^/projects/${segment}/install$`);
const insightsPath = new RegExp(`^/projects/${segment}/insights$`);
const jobsPath = new RegExp(`^/projects/${segment}/jobs$`);
const settingsPath = new RegExp(`^/projects/${segment}/settings$`);

/** Reads a path of our own origin; anything unknown is `missing`, never a guess. */
export function parseRoute(href: string): Route {
  const url = new URL(href, "http://dashboard.invalid");
  // A trailing slash is a slip of the hand, not another page.
  const path = url.pathname.length > 1 ? url.pathname.replace(/\/+$/, "") : url.pathname;
  if (path === "/") return { name: "projects" };
  if (path === "/preferences") return { name: "preferences" };
  if (path === "/login") return { name: "login", next: safeNext(url.searchParams.get("next")) };
  if (path === "/setup") return { name: "setup", token: new URLSearchParams(url.hash.slice(1)).get("token") ?? "" };
  const inbox = inboxPath.exec(path);
  if (inbox?.[1]) return { name: "inbox", projectId: inbox[1], feedbackId: inbox[2] ?? null, query: url.searchParams };
  const install = installPath.exec(path);
  if (install?.[1]) return { name: "install", projectId: install[1] };
  const insights = insightsPath.exec(path);
  if (insights?.[1]) return { name: "insights", projectId: insights[1] };
  const jobs = jobsPath.exec(path);
  if (jobs?.[1]) return { name: "jobs", projectId: jobs[1], query: url.searchParams };
  const settings = settingsPath.exec(path);
  if (settings?.[1]) return { name: "settings", projectId: settings[1] };
  return { name: "missing" };
}

/**
 * The place to return to after signing in. Only a path of this origin: `//evil.example` and `/\evil.example` are
 * absolute URLs to a browser, and the sign-in page itself would loop.
 */
export function safeNext(next: string | null): string {
  if (!next || !next.startsWith("/") || /^\/[/\\]/.test(next) || /[\u0000-\u001f]/.test(next)) return "/";
  const { name } = parseRoute(next);
  return name === "login" || name === "setup" || name === "missing" ? "/" : next;
}

export function inboxHref(projectId: string, feedbackId: string | null, query?: URLSearchParams): string {
  const search = query?.toString();
  return `/projects/${projectId}/inbox${feedbackId ? `/${feedbackId}` : ""}${search ? `?${search}` : ""}`;
}

export function loginHref(next: string): string {
  const target = safeNext(next);
  return target === "/" ? "/login" : `/login?next=${encodeURIComponent(target)}`;
}

const here = (): string => location.pathname + location.search + location.hash;

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
