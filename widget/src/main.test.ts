import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Api } from "./api";
import de from "./locales/de.json";
import { config, FakeWebSocket, fakeFetch, reply } from "./testing";
import { VERSION } from "./version";

type Global = { Earshot?: Api & Record<string, (...args: unknown[]) => unknown> & { q?: unknown[] } };
const page = window as unknown as Global;
const settle = (ms = 0) => vi.advanceTimersByTimeAsync(ms);

async function load(baked: unknown = config(), script: Record<string, string> = {}) {
  const el = Object.assign(document.createElement("script"), { type: "text/plain" });
  el.dataset.key = "pk_test";
  Object.assign(el.dataset, script);
  document.head.append(el);
  vi.stubGlobal("earshotConfig", baked);
  vi.resetModules();
  await import("./main");
  return page.Earshot!;
}
const hosts = () => document.querySelectorAll("earshot-widget");
const find = <E extends HTMLElement>(selector: string) => hosts()[0]!.shadowRoot!.querySelector<E>(selector)!;
const write = (text: string) => {
  find<HTMLTextAreaElement>("#message").value = text;
  find("#message").dispatchEvent(new Event("input", { bubbles: true, composed: true }));
};
const submit = () => find("form").dispatchEvent(new Event("submit", { cancelable: true }));

beforeEach(() => {
  vi.useFakeTimers();
  localStorage.clear();
  FakeWebSocket.all = [];
  vi.stubGlobal("WebSocket", FakeWebSocket);
});
afterEach(() => {
  for (const name of ["ready", "open", "submit", "sent"]) page.Earshot?.off?.(name);
  page.Earshot?.destroy?.();
  delete page.Earshot;
  document.head.replaceChildren();
  document.body.replaceChildren();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

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
    } as unknown as NonNullable<Global["Earshot"]>;
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

  it("of the pinned script asks for the configuration at the first opening", async () => {
    const asked = fakeFetch(() => reply(200, config({ texts: { title: "Tell us" } })));
    const api = await load(null, { api: "https://earshot.test" });
    expect(asked).toHaveLength(0);
    api.open!();
    await settle();
    expect(asked[0]!.url).toBe("https://earshot.test/w/pk_test/config.json");
    expect(find("h2").textContent).toBe("Tell us");
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

describe("the panel", () => {
  it("says sent, and sends nothing twice on a second click", async () => {
    const posts = fakeFetch();
    const api = await load();
    const sent = vi.fn();
    api.on!("sent", sent);
    api.open!("idea");
    await settle();
    write("  Hello ");
    submit();
    submit();
    expect(find("#submit").textContent).toBe("Sending…");
    await settle();
    expect(posts).toHaveLength(1);
    expect(posts[0]!.body).toMatchObject({ message: "Hello", kind: "idea", page_url: location.href });
    expect(find(".panel").dataset.state).toBe("sent");
    expect(sent.mock.calls[0]![0].detail.id).toBe(posts[0]!.body.id);
  });

  it("says kept in other words, and turns to sent once it is", async () => {
    let up = false;
    fakeFetch(({ body }) => (up ? reply(201, { id: body.id }) : reply(503, {})));
    const api = await load();
    api.open!();
    await settle();
    write("Hello");
    submit();
    await settle();
    expect(find(".panel").dataset.state).toBe("kept");
    expect(find("h3").textContent).toBe("Saved for later");
    up = true;
    await settle(1_001);
    expect(find("h3").textContent).toBe("Thank you!");
  });

  it("says why a refusal is final, and keeps the text", async () => {
    fakeFetch(() => reply(403, { code: "forbidden" }));
    const api = await load();
    api.open!();
    await settle();
    write("Hello");
    submit();
    await settle();
    expect(find("[role=alert]").textContent).toContain("forbidden");
    expect(find("#message").ariaInvalid).toBe("true");
    expect(find<HTMLTextAreaElement>("#message").value).toBe("Hello");
  });

  it.each([
    ["", "", "#message"],
    ["   ", "", "#message"],
    ["x".repeat(5_001), "", "#message"],
    ["Hello", "me@", "#email"],
  ])("finds fault before sending (%#)", async (message, email, field) => {
    const posts = fakeFetch();
    const api = await load();
    api.prefill!({ message, email });
    api.open!();
    await settle();
    submit();
    await settle();
    expect(posts).toHaveLength(0);
    expect(find("[role=alert]").textContent).not.toBe("");
    expect(find(field).ariaInvalid).toBe("true");
  });

  it("closes on Esc, but not while composing, and keeps the draft", async () => {
    const api = await load();
    api.open!();
    await settle();
    write("half a thought");
    const press = (init: KeyboardEventInit) =>
      find("#message").dispatchEvent(new KeyboardEvent("keydown", { key: "Escape", bubbles: true, composed: true, ...init }));
    press({ isComposing: true });
    expect(find(".panel").hidden).toBe(false);
    press({});
    expect(find(".panel").hidden).toBe(true);
    api.open!();
    await settle();
    expect(find<HTMLTextAreaElement>("#message").value).toBe("half a thought");
  });

  it.each(["online", "pageshow"])("is connected again at once on %s", async (news) => {
    vi.spyOn(Math, "random").mockReturnValue(1);
    const api = await load();
    api.open!();
    await settle();
    FakeWebSocket.all[0]!.ends(1006);
    dispatchEvent(new Event(news));
    await settle();
    expect(FakeWebSocket.all).toHaveLength(2);
    vi.restoreAllMocks();
  });

  it("lets no key reach the page's shortcuts", async () => {
    const shortcut = vi.fn();
    document.addEventListener("keydown", shortcut);
    const api = await load();
    api.open!();
    await settle();
    find("#message").dispatchEvent(new KeyboardEvent("keydown", { key: "k", bubbles: true, composed: true }));
    expect(shortcut).not.toHaveBeenCalled();
    document.removeEventListener("keydown", shortcut);
  });

  it("speaks another language at run time, with the draft in place", async () => {
    fakeFetch(() => reply(200, de));
    const api = await load();
    api.open!();
    await settle();
    write("Hallo");
    api("locale", "de");
    await settle();
    expect(find("#submit").textContent).toBe("Senden");
    expect(find<HTMLTextAreaElement>("#message").value).toBe("Hallo");
    expect(find(".root").lang).toBe("de");
  });

  it("brings back what could not be delivered in seven days", async () => {
    const at = Date.now() - 8 * 86_400_000;
    const body = { page_url: "https://shop.test/", message: "Lost words" };
    const entry = { id: "old", token: "t".repeat(43), body, at, tries: 9, next: at, hold: at };
    localStorage.setItem("earshot:pk_test", JSON.stringify({ token: entry.token, entries: [entry] }));
    fakeFetch();
    const api = await load();
    api.open!();
    await settle();
    expect(find<HTMLTextAreaElement>("#message").value).toBe("Lost words");
    expect(find("[role=alert]").textContent).not.toBe("");
    submit();
    await settle();
    expect(localStorage.getItem("earshot:pk_test")).not.toContain("Lost words");
  });
});

describe("drafts", () => {
  async function type(show_drafts: boolean, before = () => {}) {
    const api = await load(config({ show_drafts }));
    api.open!();
    await settle();
    const [socket] = FakeWebSocket.all;
    socket!.opens();
    before();
    write("my password is");
    await settle(400);
    return { socket: socket!, shared: socket!.sent.find(({ type }) => type === "DraftChanged")?.data.shared };
  }

  it("are shared only where the panel says so", async () => {
    expect((await type(true)).shared).toBe(true);
    expect(find(".share").textContent).toContain("Support can see this");
  });

  it("are not shared, nor is it said, where the project does not", async () => {
    expect((await type(false)).shared).toBe(false);
    expect(find(".share")).toBeNull();
  });

  it("are not shared once the visitor has switched that off", async () => {
    const off = () => {
      find<HTMLInputElement>("#share").checked = false;
      find("#share").dispatchEvent(new Event("input", { bubbles: true, composed: true }));
    };
    expect((await type(true, off)).shared).toBe(false);
  });

  it("get the server's hints in the visitor's language", async () => {
    const { socket } = await type(false);
    const hints = [{ code: "secret", message: "from the server" }, { code: "new_code", message: "from the server" }];
    socket.says({ type: "DraftAccepted", data: { kind: "bug", hints } });
    socket.says({ type: "InventedLater", data: {} });
    const shown = [...find("#hints").children].map((hint) => hint.textContent);
    expect(shown).toEqual(["This looks like a password or a key. Better leave it out.", "from the server"]);
    expect(find<HTMLInputElement>("[value=bug]").checked).toBe(false);
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
