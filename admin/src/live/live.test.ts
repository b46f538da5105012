import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { setUp } from "./testing";

describe("live", () => {
  beforeEach(() => {
    vi.useFakeTimers();
    vi.spyOn(console, "warn").mockReturnValue();
  });
  afterEach(() => {
    vi.useRealTimers();
    vi.restoreAllMocks();
  });

  it("subscribes from the head, asks for a fresh read, then hands events on once and in order", () => {
    const { live, listener, connected, subscribed, received, seen, subscribes } = setUp();
    live.watch("p1", listener);
    connected();
    subscribed(3);
    expect(listener.fresh).toHaveBeenCalledExactlyOnceWith(false);
    [4, 4, 5, 3].forEach((seq) => received(seq));
    expect(seen()).toEqual(["message 4", "message 5"]);
    expect(subscribes().at(-1)).toEqual({ project_id: "p1" });
  });

  it("reads a gap again from the last number it has, and drops what belongs to the old subscription", () => {
    const { live, listener, connected, subscribed, received, seen, subscribes } = setUp();
    live.watch("p1", listener);
    connected();
    subscribed(3);
    received(4);
    received(7);
    expect(subscribes().at(-1)).toEqual({ project_id: "p1", epoch: "e", since: 4 });
    received(8);
    subscribed(8);
    [5, 6, 7, 8].forEach((seq) => received(seq));
    expect(seen()).toEqual([4, 5, 6, 7, 8].map((n) => `message ${n}`));
    expect(listener.fresh).toHaveBeenCalledTimes(1);
  });

  it("resumes after a lost connection", () => {
    const { live, listener, connected, subscribed, received, seen, subscribes, options } = setUp();
    live.watch("p1", listener);
    connected();
    subscribed(1);
    received(2);
    options().onState("waiting", 1006);
    expect(live.connection.value).toBe("reconnecting");
    connected();
    expect(live.connection.value).toBe("connected");
    expect(subscribes().at(-1)).toEqual({ project_id: "p1", epoch: "e", since: 2 });
    subscribed(3);
    received(3);
    expect(seen()).toEqual(["message 2", "message 3"]);
  });

  it("starts anew when the log cannot be resumed, and when another epoch shows up", () => {
    const { live, listener, give, connected, subscribed, received, subscribes } = setUp();
    live.watch("p1", listener);
    connected();
    subscribed(1);
    give({ type: "ResyncRequired", data: { project_id: "p1", reason: "too_old", epoch: "e", head: 9 } });
    expect(subscribes().at(-1)).toEqual({ project_id: "p1" });
    subscribed(9);
    expect(listener.fresh).toHaveBeenLastCalledWith(true);
    received(1, "f");
    expect(subscribes().at(-1)).toEqual({ project_id: "p1" });
    expect(listener.received).not.toHaveBeenCalled();
  });

  it("lets go of a project that was deleted, while it is watched and while nobody was connected", () => {
    for (const tell of [
      { type: "ResyncRequired", data: { project_id: "p1", reason: "project_deleted", epoch: "e", head: 2 } },
      { type: "Error", re: "p1", data: { code: "not_found", message: "there is no such object" } },
    ]) {
      const { live, listener, give, connected, subscribed, received, subscribes, deleted } = setUp();
      const unwatch = live.watch("p1", listener);
      connected();
      subscribed(1);
      const before = subscribes().length;
      give(tell);
      give(tell);
      expect(deleted, tell.type).toHaveBeenCalledExactlyOnceWith("p1");
      connected();
      received(2);
      unwatch();
      expect(subscribes(), tell.type).toHaveLength(before);
      expect(listener.received).not.toHaveBeenCalled();
    }
  });

  it("keeps a project that a late refusal of another one does not speak of", () => {
    const { live, listener, give, connected, subscribed, deleted } = setUp();
    live.watch("p0", { ...listener });
    live.watch("p1", listener);
    connected();
    subscribed(1);
    give({ type: "Error", re: "p0", data: { code: "not_found", message: "there is no such object" } });
    give({ type: "Error", data: { code: "not_found", message: "there is no such object" } });
    expect(deleted).not.toHaveBeenCalled();
    expect(console.warn).toHaveBeenCalledTimes(2);
  });

  it("says offline when a connection stays lost, and when it was stopped", () => {
    const { live, connected, options } = setUp();
    connected();
    options().onState("waiting", 1006);
    vi.advanceTimersByTime(21_000);
    expect(live.connection.value).toBe("offline");
    connected();
    options().onState("stopped", 4503);
    expect(live.connection.value).toBe("offline");
  });

  it("says when the next attempt is due, and makes it when told to", () => {
    const { live, connected, options, socket } = setUp();
    connected();
    options().onState("waiting", 1006, 4_000);
    expect(live.retryAt.value).toBe(Date.now() + 4_000);
    live.tryNow();
    expect(socket.hasten).toHaveBeenCalledOnce();
    options().onState("connecting");
    expect([live.connection.value, live.retryAt.value]).toEqual(["reconnecting", null]);
    connected();
    expect(live.connection.value).toBe("connected");
  });

  it("comes back from a stop only because a person wants it to", () => {
    const { live, options, opened, socket, wake } = setUp();
    options().onState("stopped", 4507);
    wake();
    expect(socket.hasten).not.toHaveBeenCalled();
    expect(opened).toHaveBeenCalledTimes(1);
    live.tryNow();
    expect(opened).toHaveBeenCalledTimes(2);
  });

  it("comes back where the server ended what was open and one refresh shows that the session goes on", async () => {
    const { live, refresh, options, opened, connected, returned } = setUp();
    connected();
    options().onState("stopped", 4502);
    expect(live.connection.value).toBe("reconnecting");
    await vi.advanceTimersByTimeAsync(0);
    expect(refresh).toHaveBeenCalledOnce();
    expect(opened).toHaveBeenCalledTimes(2);
    expect(returned).toHaveBeenCalledOnce();
    connected();
    expect(live.connection.value).toBe("connected");
  });

  it("comes back once in a row, and again when it has held for a while", async () => {
    const { options, opened } = setUp();
    for (const [later, want] of [[0, 2], [0, 2], [60_000, 3]] as const) {
      await vi.advanceTimersByTimeAsync(later);
      options().onState("stopped", 4502);
      await vi.advanceTimersByTimeAsync(0);
      expect(opened).toHaveBeenCalledTimes(want);
    }
  });

  it("waits for a person where nobody answers whether the session goes on", async () => {
    const { live, refresh, options, opened } = setUp();
    refresh.mockRejectedValueOnce(new Error("unreachable"));
    options().onState("stopped", 4502);
    await vi.advanceTimersByTimeAsync(0);
    expect(live.connection.value).toBe("offline");
    expect(opened).toHaveBeenCalledTimes(1);
    live.tryNow();
    expect(opened).toHaveBeenCalledTimes(2);
  });

  it("says nothing of a stop that is over when that is found out", async () => {
    const { live, refresh, options, connected, opened, returned } = setUp();
    let answer = (_: string): void => undefined;
    refresh.mockReturnValueOnce(new Promise((resolve) => (answer = resolve)));
    options().onState("stopped", 4502);
    live.tryNow();
    connected();
    answer("fresh");
    await vi.advanceTimersByTimeAsync(0);
    expect(live.connection.value).toBe("connected");
    expect(opened).toHaveBeenCalledTimes(2);
    expect(returned).not.toHaveBeenCalled();
  });

  it("opens nothing anew once it is closed", async () => {
    const { live, refresh, options, opened } = setUp();
    let answer = (_: string): void => undefined;
    refresh.mockReturnValueOnce(new Promise((resolve) => (answer = resolve)));
    options().onState("stopped", 4502);
    live.close();
    answer("fresh");
    await vi.advanceTimersByTimeAsync(0);
    expect(opened).toHaveBeenCalledTimes(1);
  });

  it("hands over nothing once it is closed, and asks for nothing more", async () => {
    const { live, refresh, give, sent } = setUp();
    let answer = (_: string): void => undefined;
    refresh.mockReturnValueOnce(new Promise((resolve) => (answer = resolve)));
    give({ type: "AuthExpiring", data: { at: "2026-01-01T00:00:00Z" } });
    live.close();
    answer("fresh");
    await vi.advanceTimersByTimeAsync(0);
    expect(sent).toEqual([]);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("stays ended where the session has", async () => {
    const { live, refresh, options } = setUp();
    refresh.mockResolvedValue(null);
    options().onState("stopped", 4501);
    await vi.advanceTimersByTimeAsync(0);
    expect(live.connection.value).toBe("ended");
  });

  it("answers AuthExpiring with a fresh token", async () => {
    const { give, sent } = setUp();
    give({ type: "AuthExpiring", data: { at: "2026-01-01T00:00:00Z" } });
    await vi.runAllTicks();
    await Promise.resolve();
    expect(sent.at(-1)).toEqual({ type: "Reauthenticate", data: { token: "fresh" } });
  });

  it("hands over a fresh token by its own clock, before the server asks, and again after a failure", async () => {
    const { connected, sent, refresh, access } = setUp();
    const end = Date.now() + 900_000;
    access.mockImplementation(() => ({ token: "present", expires: end }));
    connected();
    refresh.mockRejectedValueOnce(new Error("unreachable"));
    await vi.advanceTimersByTimeAsync(809_000);
    expect(refresh).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(1_000);
    expect(refresh).toHaveBeenCalledOnce();
    await vi.advanceTimersByTimeAsync(15_000);
    expect(sent.at(-1)).toEqual({ type: "Reauthenticate", data: { token: "fresh" } });
  });

  it("hands over the token that another call has got meanwhile", async () => {
    const { connected, sent, refresh, access } = setUp();
    access.mockReturnValueOnce({ token: "old", expires: Date.now() + 900_000 }).mockReturnValueOnce({ token: "old", expires: Date.now() + 900_000 });
    connected();
    await vi.advanceTimersByTimeAsync(810_000);
    expect(refresh).not.toHaveBeenCalled();
    expect(sent.at(-1)).toEqual({ type: "Reauthenticate", data: { token: "present" } });
  });

  it("shows drafts that have text, until they are emptied, sent or forgotten", () => {
    const { live, listener, give, connected, subscribed, received } = setUp();
    live.watch("p1", listener);
    connected();
    subscribed(0);
    const draft = (session_id: string, text?: string): void => give({ type: "DraftChanged", data: { project_id: "p1", session_id, text, page_url: "https://x.example" } });
    draft("s1", "I think");
    draft("s2", "Why");
    draft("s3");
    expect(live.drafts.value.map(({ text }) => text)).toEqual(["I think", "Why"]);
    draft("s2", "");
    expect(live.drafts.value.map(({ text }) => text)).toEqual(["I think"]);
    received(1);
    expect(live.drafts.value).toEqual([]);
  });
});
