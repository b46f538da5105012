import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Problem } from "../session/problem";
import type { ServerEvent } from "./events";
import { setUp } from "./testing";

describe("live without a socket", () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });
  const settle = (ms = 0) => vi.advanceTimersByTimeAsync(ms);

  it("goes on from the last number over HTTP, and from there over the socket, with nothing lost or doubled", async () => {
    const { live, listener, connected, subscribed, received, event, seen, subscribes, refused, polls } = setUp();
    live.watch("p1", listener);
    connected();
    subscribed(1);
    received(2);
    refused();
    expect(live.connection.value).toBe("reconnecting");
    await settle();
    refused();
    await settle();
    expect(polls.map(({ at }) => at)).toEqual([{ epoch: "e", seq: 2 }]);
    polls[0]!.reply({ epoch: "e", head: 4, events: [event(3), event(4)] });
    await settle();
    expect(live.connection.value).toBe("polling");
    expect(polls[1]!.at).toEqual({ epoch: "e", seq: 4 });
    connected();
    expect(live.connection.value).toBe("connected");
    expect(subscribes().at(-1)).toEqual({ project_id: "p1", epoch: "e", since: 4 });
    // The poll that was under way is answered after the way has changed.
    polls[1]!.reply({ epoch: "e", head: 5, events: [event(5)] });
    await settle();
    subscribed(5);
    [5, 6].forEach((seq) => received(seq));
    expect(seen()).toEqual([2, 3, 4, 5, 6].map((n) => `message ${n}`));
    expect(listener.fresh).toHaveBeenCalledTimes(1);
  });

  it("begins at the head, and again when the log cannot be resumed or has a gap", async () => {
    const { live, listener, event, seen, refused, polls } = setUp();
    live.watch("p1", listener);
    refused();
    await settle();
    expect(polls[0]!.at).toBeNull();
    polls[0]!.reply({ epoch: "e", head: 3, events: [] });
    await settle();
    polls[1]!.reply({ epoch: "e", head: 9, events: [event(4), event(9)] });
    await settle();
    expect(listener.fresh).toHaveBeenCalledExactlyOnceWith(false);
    expect(polls[2]!.at).toEqual({ epoch: "e", seq: 4 });
    const resync = { type: "ResyncRequired", data: { project_id: "p1", reason: "too_old", epoch: "f", head: 20 } } as ServerEvent;
    polls[2]!.reply({ epoch: "f", head: 20, events: [resync] });
    await settle();
    expect(polls[3]!.at).toBeNull();
    polls[3]!.reply({ epoch: "f", head: 20, events: [] });
    await settle();
    polls[4]!.reply({ epoch: "f", head: 21, events: [event(21, "f")] });
    await settle();
    expect(listener.fresh).toHaveBeenLastCalledWith(true);
    expect(seen()).toEqual(["message 4", "message 21"]);
  });

  it("follows another project when the page changes, and none when it is left", async () => {
    const { live, listener, refused, polls } = setUp();
    const leave = live.watch("p1", listener);
    refused();
    await settle();
    const unwatch = live.watch("p2", { ...listener });
    leave();
    await settle();
    expect(polls).toHaveLength(2);
    unwatch();
    polls[1]!.reply({ epoch: "e", head: 3, events: [] });
    await settle(60_000);
    expect(polls).toHaveLength(2);
  });

  it("lets go of a project that was deleted", async () => {
    const { live, listener, refused, polls, deleted } = setUp();
    live.watch("p1", listener);
    refused();
    await settle();
    polls[0]!.fail(new Problem(404, "not_found", "there is no such object"));
    await settle(60_000);
    expect(deleted).toHaveBeenCalledExactlyOnceWith("p1");
    expect(polls).toHaveLength(1);
  });
});
