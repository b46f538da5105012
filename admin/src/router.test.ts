import { describe, expect, it } from "vitest";
import { currentHref, inboxHref, linkToken, loginHref, navigate, parseRoute, route, safeNext, startRouter } from "./router";
import table from "./routes.json";

describe("parseRoute", () => {
  it.each([
    ["/", { name: "projects" }],
    ["/login", { name: "login", next: "/" }],
    ["/login?next=%2Fprojects%2Fp1%2Finstall", { name: "login", next: "/projects/p1/install" }],
    ["/setup#token=abc", { name: "setup", token: "abc" }],
    ["/setup", { name: "setup", token: "" }],
    ["/projects/p1/install", { name: "install", projectId: "p1" }],
    ["/preferences", { name: "preferences" }],
    ["/api-keys/", { name: "keys" }],
    ["/join#token=abc", { name: "join" }],
    ["/constructor", { name: "missing" }],
    ["/projects/p1/settings/", { name: "settings", projectId: "p1" }],
    ["/projects/p1/visitors", { name: "visitors", projectId: "p1" }],
    ["/projects/p1", { name: "missing" }],
    ["/projects/../inbox", { name: "missing" }],
    ["/nowhere", { name: "missing" }],
  ])("%s", (href, want) => expect(parseRoute(href)).toEqual(want));

  it.each(Object.entries(table))("finds %s at its path of the table that the server reads", (name, path) => {
    for (const href of [path.replace("/:item?", ""), path.replace("?", "")]) expect(parseRoute(href.replace(/:/g, "")).name).toBe(name);
  });

  it("reads an inbox with selection and view", () => {
    const got = parseRoute("/projects/p1/inbox/f1?status=new");
    expect(got).toMatchObject({ name: "inbox", projectId: "p1", feedbackId: "f1" });
    expect(got.name === "inbox" && got.query.get("status")).toBe("new");
  });
});

describe("safeNext", () => {
  it.each([
    ["a path", "/projects/p1/inbox?q=a", "/projects/p1/inbox?q=a"],
    ["nothing", null, "/"],
    ["another site", "https://evil.example/", "/"],
    ["another site without a scheme", "//evil.example/projects", "/"],
    ["a backslash, which browsers read as a slash", "/\\evil.example", "/"],
    ["a script", "javascript:alert(1)", "/"],
    ["a tab, which browsers drop", "/\t/evil.example", "/"],
    ["the sign-in page itself", "/login?next=/login", "/"],
    ["the page to sign up", "/signup", "/"],
    ["an invitation", "/join", "/join"],
  ])("%s", (_, next, want) => expect(safeNext(next)).toBe(want));

  it("survives the way to the sign-in page and back", () => {
    const place = "/projects/p1/inbox/f1?status=open&q=a%26b";
    const back = parseRoute(loginHref(place));
    expect(back).toEqual({ name: "login", next: place });
  });
});

describe("navigation", () => {
  it("moves by link, by call and by history", async () => {
    startRouter(document);
    document.body.innerHTML = '<a href="/projects/p1/settings">in</a><a id="out" href="/docs">out</a>';
    document.querySelector("a")?.click();
    expect(route.value).toEqual({ name: "settings", projectId: "p1" });
    navigate(inboxHref("p1", "f1", new URLSearchParams({ status: "new" })));
    expect(currentHref.value).toBe("/projects/p1/inbox/f1?status=new");
    const out = new MouseEvent("click", { bubbles: true, cancelable: true });
    document.getElementById("out")?.dispatchEvent(out);
    expect(out.defaultPrevented).toBe(false);
  });

  it.each(["reset", "verify", "join"] as const)("takes the secret of a link to %s out of the address, and keeps it", (page) => {
    startRouter(document);
    history.pushState(null, "", `/${page}#token=secret`);
    window.dispatchEvent(new Event("hashchange"));
    expect([location.href.includes("secret"), currentHref.value, linkToken(page)]).toEqual([false, `/${page}`, "secret"]);
    navigate(loginHref(`/${page}`));
    expect(linkToken(page)).toBe("secret");
  });
});
