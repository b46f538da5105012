import { describe, expect, it, vi } from "vitest";
import ar from "./locales/ar.json";
import de from "./locales/de.json";
import { config, fakeFetch, FakeWebSocket, find, hosts, load, page, reply, settle, submit, usePage, write } from "./testing";
import { VERSION } from "./version";

usePage();

describe("loading", () => {
  it("asks nothing of network or storage before the visitor acts", async () => {
    const posts = fakeFetch();
    const read = vi.spyOn(Storage.prototype, "getItem");
    await load();
    await settle(60_000);
    expect(find(".launcher").textContent).toBe("Feedback");
    expect([posts.length, FakeWebSocket.all.length, read.mock.calls.length]).toEqual([0, 0, 0]);
    read.mockRestore();
  });

  it("a second time changes nothing", async () => {
    const first = await load();
    expect(await load()).toBe(first);
    expect(hosts()).toHaveLength(1);
  });

  it("replays the calls that came before it", async () => {
    const ready = vi.fn();
    const stub = function (...args: unknown[]) {
      (stub.q = stub.q || []).push(args);
    } as unknown as NonNullable<typeof page.Earshot>;
    page.Earshot = stub;
    stub("on", "ready", ready);
    stub("open", "bug");
    const api = await load();
    await settle();
    expect(ready).toHaveBeenCalledOnce();
    expect(api.version).toBe(VERSION);
    expect(find<HTMLInputElement>("[value=bug]").checked).toBe(true);
  });

  it("survives a body swap and being thrown out", async () => {
    await load();
    const [host] = hosts();
    document.documentElement.removeChild(host!);
    await settle();
    expect(hosts()[0]).toBe(host);
  });

  it.each(["##", ")", "a["])("has its own attribute open the panel, whatever the page's selector (%s)", async (selector) => {
    fakeFetch();
    const said = vi.spyOn(console, "warn").mockReturnValue();
    const thrown = vi.fn();
    addEventListener("error", thrown);
    await load(config(), { selector });
    const [button, other] = [document.createElement("button"), document.createElement("p")];
    button.dataset.earshotOpen = "";
    document.body.append(button, other);
    other.click();
    button.click();
    await settle();
    expect(find(".panel").hidden).toBe(false);
    expect([said.mock.calls.length, thrown.mock.calls.length]).toEqual([1, 0]);
    removeEventListener("error", thrown);
  });

  it("opens from what the page's selector names", async () => {
    fakeFetch();
    await load(config(), { selector: ".help, .contact" });
    const link = Object.assign(document.createElement("a"), { className: "contact" });
    document.body.append(link);
    link.click();
    await settle();
    expect(find(".panel").hidden).toBe(false);
  });
});

describe("the pinned script", () => {
  const settings = (over: object) => reply(200, config({ ...over }));
  const pinned = (script: Record<string, string> = {}) => load(null, { api: "https://earshot.test", ...script });

  it("asks for the configuration at the first opening", async () => {
    const asked = fakeFetch(() => settings({ texts: { title: "Tell us" } }));
    const api = await pinned();
    expect(asked).toHaveLength(0);
    api.open!();
    await settle();
    expect(asked[0]!.url).toBe("https://earshot.test/w/pk_test/config.json");
    expect(find("h2").textContent).toBe("Tell us");
  });

  it("speaks the project's language and leaves out its launcher, once it knows", async () => {
    const asked = fakeFetch(() => settings({ locale: "ar", strings: ar, trigger: "none" }));
    const api = await pinned();
    expect(find(".launcher").hidden).toBe(false);
    api.open!();
    await settle();
    expect(find("h2").textContent).toBe(ar.title);
    expect([find(".root").lang, find(".launcher").textContent, find(".launcher").hidden]).toEqual(["ar", "ملاحظات", true]);
    expect(asked).toHaveLength(1);
  });

  it("keeps what the page chose before, as it keeps the page's attributes", async () => {
    fakeFetch(({ url }) => (url.endsWith("/de.json") ? reply(200, de) : settings({ locale: "ar", theme: "light", trigger: "none", accent: "#000000" })));
    const api = await pinned({ accent: "#ff0000" });
    api.theme!("dark");
    api.locale!("de");
    api.show!();
    api.open!();
    await settle();
    expect(find(".root").style.colorScheme).toBe("dark");
    expect(find(".root").style.getPropertyValue("--a")).toBe("#ff0000");
    expect([find("#submit").textContent, find(".launcher").hidden]).toEqual(["Senden", false]);
  });

  it("may try again after a failure", async () => {
    let up = false;
    fakeFetch(() => (up ? settings({}) : reply(503, {})));
    const api = await pinned();
    const failed = vi.fn();
    api.on!("error", failed);
    api.open!();
    await settle();
    expect(find(".panel")).toBeNull();
    expect(failed.mock.calls[0]![0].detail.code).toBe("unavailable");
    api.off!("error", failed);
    up = true;
    api.open!();
    await settle();
    expect(find(".panel").hidden).toBe(false);
  });
});

describe("events", () => {
  it.each(["preventDefault", "return false"])("open can be cancelled by %s", async (way) => {
    const api = await load();
    api.on!("open", (event: Event) => (way === "return false" ? false : event.preventDefault()));
    api.open!();
    await settle(500);
    expect(find(".panel")).toBeNull();
  });

  it("submit can be cancelled, and the text stays", async () => {
    const posts = fakeFetch();
    const api = await load();
    const listener = vi.fn(() => false);
    api.on!("submit", listener);
    api.open!();
    await settle();
    write("Hello");
    submit();
    await settle(20_000);
    expect(listener).toHaveBeenCalledOnce();
    expect(posts).toHaveLength(0);
    expect(find<HTMLTextAreaElement>("#message").value).toBe("Hello");
    api.off!("submit", listener);
    submit();
    await settle();
    expect(posts).toHaveLength(1);
  });

  it("are not heard any more after off, one by one or all of a name", async () => {
    const api = await load();
    const [first, second, other] = [vi.fn(), vi.fn(), vi.fn()];
    api.on!("close", first);
    api.on!("close", second);
    api.on!("open", other);
    const hear = async () => {
      api.open!();
      await settle();
      api.close!();
    };
    await hear();
    api.off!("close", first);
    await hear();
    api.off!("close");
    await hear();
    expect([first, second, other].map(({ mock }) => mock.calls.length)).toEqual([1, 2, 3]);
    api.off!("open", other);
  });

  it("end with the widget, and it opens no more until it is made anew", async () => {
    const api = await load();
    api.destroy!();
    api.open!();
    api("toggle");
    await settle(500);
    expect(hosts()).toHaveLength(0);
    api.init!();
    api.open!();
    await settle();
    expect(find(".panel").hidden).toBe(false);
  });

  it("reach late listeners of ready, and window", async () => {
    const heard = vi.fn();
    addEventListener("earshot:close", heard);
    const api = await load();
    const ready = vi.fn();
    api("on", "ready", ready);
    expect(ready.mock.calls[0]![0].detail).toEqual({ version: VERSION });
    api("open");
    await settle();
    api("close");
    expect(heard).toHaveBeenCalledOnce();
    removeEventListener("earshot:close", heard);
  });
});

describe("the context", () => {
  const send = async () => {
    const posts = fakeFetch();
    const api = await load();
    api.set!({ plan: "pro" });
    api.tag!("beta");
    const outcome = api.send!({ message: "Hello" });
    await settle();
    expect(await outcome).toMatchObject({ state: "sent" });
    return (posts[0]!.body as unknown as { context: Record<string, unknown> }).context;
  };

  it("tells of the browser, and what the page has set", async () => {
    expect(Object.keys(await send()).sort()).toEqual(
      ["attributes", "language", "referrer", "screen", "tags", "time_zone", "viewport"],
    );
  });

  it.each([
    ["globalPrivacyControl", true],
    ["doNotTrack", "1"],
  ])("keeps quiet about the browser under %s", async (name, value) => {
    Object.defineProperty(navigator, name, { value, configurable: true });
    const context = await send();
    Object.defineProperty(navigator, name, { value: undefined, configurable: true });
    expect(context).toEqual({ attributes: { plan: "pro" }, tags: ["beta"] });
  });
});
