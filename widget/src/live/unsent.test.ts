import { describe, expect, it, vi } from "vitest";
import { config, fakeFetch, FakeWebSocket, find, load, page, reply, settle, submit, usePage, write } from "../testing";

usePage();

const key = "earshot:pk_test:draft";
const field = () => find<HTMLTextAreaElement>("#message");
const told = () => FakeWebSocket.all.flatMap(({ sent }) => sent).filter(({ type }) => type === "DraftChanged");

async function opened(over = {}, script = {}) {
  const api = await load(config(over), script);
  api.open!();
  await settle();
  FakeWebSocket.all.at(-1)?.opens();
  return api;
}

/** As a reload does. */
async function again(over = {}, script = {}) {
  page.Earshot!.destroy!();
  delete page.Earshot;
  document.head.replaceChildren();
  FakeWebSocket.all = [];
  return opened(over, script);
}

describe("an unsent draft", () => {
  it("comes back after a reload, in this tab alone", async () => {
    await opened();
    expect([localStorage.length, sessionStorage.length]).toEqual([0, 0]);
    write("Half a thou");
    expect([localStorage.length, sessionStorage.length]).toEqual([0, 1]);
    await again();
    expect(field().value).toBe("Half a thou");
    write("");
    expect(sessionStorage.length).toBe(0);
    await again();
    expect(field().value).toBe("");
  });

  it("is told to nobody because it came back, and to staff only as the visitor said", async () => {
    await opened({ show_drafts: true });
    write("My secret");
    Object.assign(find<HTMLInputElement>("#share"), { checked: false });
    find("#share").dispatchEvent(new Event("input", { bubbles: true }));
    await again({ show_drafts: true });
    await settle(2_000);
    expect([field().value, find<HTMLInputElement>("#share").checked, told()]).toEqual(["My secret", false, []]);
    write("My secret!");
    await settle(2_000);
    expect(told().map(({ data }) => data.shared)).toEqual([false]);
  });

  it("is not there twice: the outbox has it once it is sent", async () => {
    fakeFetch(() => reply(503, {}));
    await opened();
    write("On its way");
    submit();
    expect(sessionStorage.getItem(key)).toBeNull();
    expect(localStorage.getItem("earshot:pk_test")).toContain("On its way");
    await settle(20_000);
    await again();
    expect(field().value).toBe("");
  });

  it("is there again when the message is refused", async () => {
    fakeFetch(() => reply(422, { code: "invalid_field" }));
    await opened();
    write("Not like this");
    submit();
    await settle(20_000);
    await settle();
    expect(find("#alert").textContent).toContain("invalid_field");
    await again();
    expect(field().value).toBe("Not like this");
  });

  it("ends with a reset, and stays out of storage that is off or broken", async () => {
    const api = await opened();
    write("Mine");
    api.reset!();
    expect(sessionStorage.length).toBe(0);
    await again({}, { storage: "off" });
    write("Off");
    expect(sessionStorage.length).toBe(0);
    vi.stubGlobal("sessionStorage", undefined);
    await again();
    write("Broken");
    expect(field().value).toBe("Broken");
  });

  it("ends with a reset also on a page where the panel was not opened", async () => {
    await opened();
    write("Of who has left");
    page.Earshot!.destroy!();
    delete page.Earshot;
    const api = await load(config());
    expect(sessionStorage.length).toBe(1);
    api.reset!();
    expect(sessionStorage.length).toBe(0);
  });

  it("is for nobody else: another tab may have been told of another visitor", async () => {
    const visitor = (token: string) => localStorage.setItem("earshot:pk_test", JSON.stringify({ entries: [], token }));
    visitor("a".repeat(43));
    await opened();
    write("Mine");
    await again();
    expect(field().value).toBe("Mine");
    visitor("b".repeat(43));
    await again();
    expect([field().value, sessionStorage.length]).toEqual(["", 0]);
  });

  it("is not there while it is on its way, where its keeper came after it was sent", async () => {
    vi.stubGlobal("fetch", () => new Promise(() => {}));
    const api = await load(config({ show_drafts: true }));
    api.prefill!({ message: "Quicker" });
    api.open!();
    await vi.advanceTimersByTimeAsync(0);
    submit();
    await settle();
    FakeWebSocket.all.at(-1)?.opens();
    await settle(2_000);
    expect([find("#submit").textContent, sessionStorage.length, told()]).toEqual(["Sending…", 0, []]);
  });

  it("gives way to what was written before it came", async () => {
    sessionStorage.setItem(key, '["Old",true]');
    const api = await load(config());
    api.prefill!({ message: "New" });
    api.open!();
    await settle();
    expect(field().value).toBe("New");
  });
});
