import { describe, expect, it, vi } from "vitest";
import { connected, fakeFetch, FakeWebSocket, settle, start, useWaysOut } from "../testing";

useWaysOut();

describe("a socket", () => {
  it("that never opened is tried again, with full jitter from 0.5 s to 30 s, while the panel is open", async () => {
    vi.spyOn(Math, "random").mockReturnValue(1);
    fakeFetch();
    const { session } = start();
    session.open();
    await settle();
    let tries = 1;
    for (const ceiling of [500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]) {
      FakeWebSocket.all.at(-1)!.ends(1006);
      await settle(ceiling - 1);
      expect(FakeWebSocket.all).toHaveLength(tries);
      await settle(1);
      expect(FakeWebSocket.all).toHaveLength(++tries);
    }
    session.close();
    await settle(10_000);
    FakeWebSocket.all.at(-1)!.ends(1006);
    await settle(60_000);
    expect(FakeWebSocket.all).toHaveLength(tries);
    vi.restoreAllMocks();
  });

  it.each([
    ["wss://earshot.test/w/pk_test/socket", 1],
    ["wss://earshot.test", 1],
    ["wss://elsewhere.test", 2],
    ["https://earshot.test", 2],
    ["inline", 2],
    ["", 2],
  ])("is not tried again after the page's policy reported %s, if that is it", async (blockedURI, tries) => {
    fakeFetch();
    const { session } = start();
    session.open();
    await settle();
    window.dispatchEvent(Object.assign(new Event("securitypolicyviolation"), { blockedURI }));
    FakeWebSocket.all[0]!.ends(1006);
    await settle(600);
    expect(FakeWebSocket.all).toHaveLength(tries);
  });

  it("has no ear for the page's policy once the widget is gone", async () => {
    const { session, end } = start();
    end();
    session.open();
    await settle();
    window.dispatchEvent(Object.assign(new Event("securitypolicyviolation"), { blockedURI: "wss://earshot.test" }));
    FakeWebSocket.all[0]!.ends(1006);
    await settle(600);
    expect(FakeWebSocket.all).toHaveLength(2);
    session.close(true);
  });

  it("carries no draft of somebody who came in another tab", async () => {
    const { session, outbox, socket } = await connected();
    session.draft("of the first", false);
    outbox.reset();
    session.draft("of the next", false);
    expect(socket.sent.filter(({ type }) => type === "DraftChanged").map(({ data }) => data.text)).toEqual(["of the first"]);
  });

  it("comes back no sooner than GoingAway asks, whatever the good news", async () => {
    const { session, socket } = await connected();
    socket.says({ type: "GoingAway", data: { retry_after_ms: 3_000 } });
    socket.ends(1001);
    session.open();
    await settle(2_999);
    expect(FakeWebSocket.all).toHaveLength(1);
    await settle(1);
    expect(FakeWebSocket.all).toHaveLength(2);
  });

  it("is tried again at once, or asked for a sign of life, when the page is back", async () => {
    vi.spyOn(Math, "random").mockReturnValue(1);
    const { session, socket } = await connected();
    session.open();
    await settle();
    expect(socket.sent.map(({ type }) => type)).toEqual(["Hello", "Ping"]);
    socket.ends(1006);
    session.open();
    await settle();
    expect(FakeWebSocket.all).toHaveLength(2);
    vi.restoreAllMocks();
  });

  it("ends within 15 s of the panel's closing", async () => {
    const { session, socket } = await connected();
    session.close();
    await settle(15_000);
    expect(socket.readyState).toBe(3);
  });
});
