import { describe, expect, it, vi } from "vitest";
import { signal } from "@preact/signals";
import type { Listener } from "../live/follow";
import type { Live } from "../live/live";
import type { Api } from "../session/api";
import { Problem, Unreachable } from "../session/problem";
import type { Feedback, FeedbackPage } from "../session/types";
import { feedback, settled } from "../testing";
import { createInbox } from "./inbox";
import { everything as all } from "./query";
import { createShelf } from "./shelf";

async function setUp(items: Feedback[], query = all) {
  const page = { items, next_cursor: null, total: items.length } as FeedbackPage;
  const api = {
    listFeedback: vi.fn(async () => page),
    feedback: vi.fn(async (id: string) => items.find((item) => item.id === id) as Feedback),
    change: vi.fn(),
    messages: vi.fn(async () => ({ items: [], next_cursor: null })),
    erase: vi.fn(async () => undefined),
    markRead: vi.fn(async () => undefined),
    markSeveral: vi.fn(async () => undefined),
    changeSeveral: vi.fn(),
  };
  let listener!: Listener;
  const live: Live = {
    connection: signal("connected"),
    retryAt: signal(null),
    tryNow: () => undefined,
    visitors: signal(0),
    drafts: signal([]),
    pages: signal([]),
    members: signal([]),
    changes: signal(0),
    viewing: { open: () => undefined, typed: () => undefined, rested: () => undefined },
    jobs: signal(new Map()),
    ask: () => null,
    watch: (_, given) => {
      listener = given;
      return () => undefined;
    },
    close: () => undefined,
  };
  const shelf = createShelf(() => localStorage, "me", Date.now);
  const hold = { now: false };
  const failed = vi.fn();
  const inbox = createInbox({ api: api as unknown as Api, live, projectId: "p1", holding: () => hold.now, failed, shelf, settled: vi.fn(), visible: () => true, me: "me" });
  await inbox.show(query);
  const ids = (): string[] => inbox.rows.value.items.map(({ message }) => message);
  const row = (id: string): Feedback | undefined => inbox.rows.value.items.find((item) => item.id === id);
  return { inbox, api, listener, hold, failed, ids, row };
}

type Arrival = Parameters<Listener["received"]>[0];
const arrival = (n: number, over: Partial<Feedback> = {}): Arrival => feedback(n, over) as unknown as Arrival;

describe("arrivals", () => {
  it("go on top, and wait while rows must not move", async () => {
    const { inbox, listener, hold, ids } = await setUp([feedback(2), feedback(1)]);
    listener.received(arrival(3));
    hold.now = true;
    listener.received(arrival(4));
    listener.received(arrival(5));
    expect(ids()).toEqual(["message 3", "message 2", "message 1"]);
    expect(inbox.rows.value.waiting.map(({ message }) => message)).toEqual(["message 5", "message 4"]);
    inbox.release();
    expect(ids()).toEqual(["message 5", "message 4", "message 3", "message 2", "message 1"]);
    expect(inbox.rows.value.total).toBe(5);
  });

  it("are left out where they do not belong", async () => {
    const { listener, ids } = await setUp([], { ...all, kind: ["bug"] });
    listener.received(arrival(1, { kind: "idea" }));
    listener.received(arrival(2, { kind: "bug", quarantined: true }));
    listener.received(arrival(3, { kind: "bug" }));
    expect(ids()).toEqual(["message 3"]);
  });

  it("that were missed come with the next read", async () => {
    const { api, listener, ids } = await setUp([feedback(1)]);
    api.listFeedback.mockResolvedValueOnce({ items: [feedback(2), feedback(1, { rev: 2, status: "open" })], next_cursor: null } as unknown as FeedbackPage);
    listener.fresh(false);
    await settled();
    expect(ids()).toEqual(["message 2", "message 1"]);
  });
});

describe("status", () => {
  it("changes at once and takes the server's answer", async () => {
    const item = feedback(1);
    const { inbox, api, row } = await setUp([item]);
    api.change.mockResolvedValue(feedback(1, { status: "resolved", rev: 2 }));
    const done = inbox.change(item, { status: "resolved" });
    await settled();
    expect(row(item.id)?.status).toBe("resolved");
    expect(await done).toBe(true);
    expect(row(item.id)?.rev).toBe(2);
    expect(api.change).toHaveBeenCalledWith(item.id, { status: "resolved" }, 1);
  });

  it("is as it was when the server cannot be reached", async () => {
    const item = feedback(1);
    const { inbox, api, failed, row } = await setUp([feedback(2), item], all);
    await inbox.open(item.id);
    api.change.mockRejectedValue(new Unreachable("down"));
    expect(await inbox.change(item, { status: "resolved" })).toBe(false);
    expect(row(item.id)?.status).toBe("new");
    expect(inbox.item.value?.status).toBe("new");
    expect(failed).toHaveBeenCalledExactlyOnceWith("change", expect.any(Unreachable));
  });

  it("comes back to its place in a view that it had left", async () => {
    const item = feedback(2);
    const { inbox, api, ids } = await setUp([feedback(3), item, feedback(1)], { ...all, status: ["new"] });
    api.change.mockRejectedValue(new Unreachable("down"));
    const done = inbox.change(item, { status: "resolved" });
    expect(ids()).toEqual(["message 3", "message 1"]);
    await done;
    expect(ids()).toEqual(["message 3", "message 2", "message 1"]);
  });

  it("shows both sides of a conflict and applies the chosen one", async () => {
    const item = feedback(1);
    const theirs = feedback(1, { status: "in_progress", rev: 4 });
    const { inbox, api, row, failed } = await setUp([item]);
    api.change.mockRejectedValueOnce(new Problem(409, "conflict", "stale", [], theirs));
    await inbox.change(item, { status: "resolved" });
    expect(inbox.conflict.value).toEqual({ mine: { status: "resolved" }, theirs });
    expect(row(item.id)).toEqual(theirs);
    expect(failed).not.toHaveBeenCalled();
    api.change.mockResolvedValueOnce({ ...theirs, status: "resolved", rev: 5 });
    await inbox.settle("mine");
    expect(api.change).toHaveBeenLastCalledWith(item.id, { status: "resolved" }, 4);
    expect(row(item.id)?.rev).toBe(5);
  });

  it("does not roll back over a newer change of somebody else", async () => {
    const item = feedback(1);
    const { inbox, api, listener, row } = await setUp([item]);
    let refuse!: (error: Error) => void;
    api.change.mockReturnValue(new Promise((_, reject) => (refuse = reject)));
    const done = inbox.change(item, { status: "resolved" });
    await settled();
    listener.updated({ id: item.id, project_id: "p1", rev: 2, changes: { status: "closed" }, by: { user_id: "u", name: "M" } });
    refuse(new Unreachable("down"));
    await done;
    expect(row(item.id)).toMatchObject({ status: "closed", rev: 2 });
  });

  /** Takes a change where it starts from the present form, as the server does. */
  function serve(api: Awaited<ReturnType<typeof setUp>>["api"], item: Feedback): void {
    let present = item;
    api.change.mockImplementation(async (_: string, { status }: Pick<Feedback, "status">, rev: number) => {
      await settled();
      if (rev !== present.rev) throw new Problem(409, "conflict", "stale", [], present);
      return (present = { ...present, status, rev: rev + 1 });
    });
  }

  it("may change again before the answer, in turn and without what was wanted in between", async () => {
    const item = feedback(1);
    const { inbox, api, row } = await setUp([item]);
    serve(api, item);
    await inbox.open(item.id);
    const changes = (["resolved", "open", "closed"] as const).map((status) => inbox.change(inbox.item.value as Feedback, { status }));
    expect(row(item.id)?.status).toBe("closed");
    expect(await Promise.all(changes)).toEqual([true, true, true]);
    expect(api.change.mock.calls).toEqual([[item.id, { status: "resolved" }, 1], [item.id, { status: "closed" }, 2]]);
    expect(inbox.conflict.value).toBeNull();
    for (const shown of [row(item.id), inbox.item.value]) expect(shown).toMatchObject({ status: "closed", rev: 3 });
    await inbox.change(item, { status: "new" });
    expect(inbox.conflict.value).toBeNull();
  });

  it("that is changed back before the answer returns the row to the view", async () => {
    const item = feedback(2);
    const { inbox, api, ids } = await setUp([feedback(3), item, feedback(1)], { ...all, status: ["new"] });
    serve(api, item);
    const away = inbox.change(item, { status: "resolved" });
    expect(ids()).toEqual(["message 3", "message 1"]);
    await inbox.change({ ...item, status: "resolved" }, { status: "new" });
    expect(ids()).toEqual(["message 3", "message 2", "message 1"]);
    expect(await away).toBe(true);
    expect(inbox.rows.value.total).toBe(3);
  });

  it("that two people changed alike is no conflict", async () => {
    const item = feedback(1);
    const { inbox, api, row } = await setUp([item]);
    api.change.mockRejectedValueOnce(new Problem(409, "conflict", "stale", [], feedback(1, { status: "resolved", rev: 4 })));
    expect(await inbox.change(item, { status: "resolved" })).toBe(true);
    expect(inbox.conflict.value).toBeNull();
    expect(row(item.id)).toMatchObject({ status: "resolved", rev: 4 });
  });

  it.each(["2026-01-01T00:00:00.5Z", "2026-01-01T00:00:00Z"])("comes back to its place among moments of any precision (%s)", async (created_at) => {
    const items = ["2026-01-01T00:00:00.51Z", created_at, "2025-12-31T23:59:59.999Z"].map((at, n) => feedback(n, { created_at: at }));
    const { inbox, api, ids } = await setUp(items, { ...all, status: ["new"] });
    api.change.mockRejectedValue(new Unreachable("down"));
    await inbox.change(items[1] as Feedback, { status: "resolved" });
    expect(ids()).toEqual(["message 0", "message 1", "message 2"]);
  });

  it("does not let in an arrival that waits", async () => {
    const { inbox, api, listener, hold, ids } = await setUp([feedback(1)]);
    hold.now = true;
    listener.received(arrival(2));
    api.feedback.mockResolvedValue(feedback(2));
    api.change.mockRejectedValue(new Unreachable("down"));
    await inbox.open(feedback(2).id);
    await inbox.change(inbox.item.value as Feedback, { status: "resolved" });
    expect(ids()).toEqual(["message 1"]);
  });

  it("reads an arrival first, which came without its revision", async () => {
    const whole = feedback(9, { rev: 3 });
    const { inbox, api, listener } = await setUp([]);
    listener.received(arrival(9));
    api.feedback.mockResolvedValue(whole);
    api.change.mockResolvedValue({ ...whole, status: "open", rev: 4 });
    await inbox.change(inbox.rows.value.items[0] as Feedback, { status: "open" });
    expect(api.change).toHaveBeenCalledWith(whole.id, { status: "open" }, 3);
  });
});

describe("live changes", () => {
  it("are applied once, to the list and to the open item", async () => {
    const item = feedback(1);
    const { inbox, listener, row } = await setUp([item]);
    await inbox.open(item.id);
    const by = { user_id: "u", name: "M" };
    listener.updated({ id: item.id, project_id: "p1", rev: 3, changes: { status: "closed" }, by });
    listener.updated({ id: item.id, project_id: "p1", rev: 2, changes: { status: "open" }, by });
    expect(row(item.id)).toMatchObject({ status: "closed", rev: 3 });
    expect(inbox.item.value).toMatchObject({ status: "closed", rev: 3 });
  });

  it("erase an item from both panes", async () => {
    const item = feedback(1);
    const { inbox, listener, ids } = await setUp([item]);
    await inbox.open(item.id);
    listener.erased({ id: item.id, project_id: "p1" });
    expect(ids()).toEqual([]);
    expect(inbox.item.value).toBeNull();
    expect(inbox.detail.value.name).toBe("gone");
  });
});

describe("loading", () => {
  it("offers a retry after a failure", async () => {
    const { inbox, api } = await setUp([feedback(1)]);
    api.listFeedback.mockRejectedValueOnce(new Unreachable("down"));
    await inbox.retry();
    expect(inbox.load.value).toBe("failed");
    await inbox.retry();
    expect(inbox.load.value).toBe("ready");
  });
});

describe("what is unread", () => {
  const [f1, f2] = [feedback(1).id, feedback(2).id];
  const said = (id: string, kind: "visitor" | "member") =>
    ({ type: "MessagePosted", seq: 9, data: { project_id: "p1", feedback_id: id, message_id: "m9", body: "and?", author: { kind, name: "" }, rev: 1, at: "2026-01-01T00:00:00Z" } }) as never;

  it("is read once it is opened, on the server as well", async () => {
    const { inbox, api, row } = await setUp([feedback(1, { unread: true }), feedback(2)]);
    await inbox.open(f1);
    expect(row(f1)?.unread).toBe(false);
    expect(inbox.item.value?.unread).toBe(false);
    await inbox.open(f2);
    expect(api.markRead.mock.calls).toEqual([[f1, true]]);
  });

  it("comes with what a visitor says, and not with what staff say", async () => {
    const { inbox, api, listener, row } = await setUp([feedback(1), feedback(2)]);
    listener.conversed(said(f1, "member"));
    expect(row(f1)?.unread).toBe(false);
    listener.conversed(said(f1, "visitor"));
    expect(row(f1)?.unread).toBe(true);
    await inbox.open(f2);
    // Read where it is said: the one who looks at it has seen it.
    listener.conversed(said(f2, "visitor"));
    expect(row(f2)?.unread).toBe(false);
    expect(api.markRead.mock.calls).toEqual([[f2, true]]);
  });

  it("can be turned around by hand", async () => {
    const { inbox, api, row } = await setUp([feedback(1)]);
    inbox.toggleUnread(f1);
    expect(row(f1)?.unread).toBe(true);
    inbox.toggleUnread(f1);
    expect(row(f1)?.unread).toBe(false);
    expect(api.markRead.mock.calls).toEqual([[f1, false], [f1, true]]);
  });

  it("is not what a read says that began before the mark, or before the server had it", async () => {
    const items = [feedback(1, { unread: true }), feedback(2, { unread: true })];
    const { inbox, api, row } = await setUp(items);
    let told!: () => void;
    let answer!: (page: FeedbackPage) => void;
    api.markRead.mockReturnValueOnce(new Promise<undefined>((done) => (told = () => done(undefined))));
    inbox.toggleUnread(f1);
    api.listFeedback.mockReturnValueOnce(new Promise((done) => (answer = done)));
    const reading = inbox.retry();
    inbox.toggleUnread(f2);
    told();
    await settled();
    answer({ items, next_cursor: null, total: 2 } as unknown as FeedbackPage);
    await reading;
    expect([row(f1)?.unread, row(f2)?.unread]).toEqual([false, false]);
    // A later one knows better.
    await inbox.retry();
    expect([row(f1)?.unread, row(f2)?.unread]).toEqual([true, true]);
  });
});

describe("changes of two people", () => {
  it("are put together where they are of different fields", async () => {
    const item = feedback(1);
    const theirs = feedback(1, { priority: "high", rev: 2 });
    const { inbox, api, row } = await setUp([item]);
    api.change.mockRejectedValueOnce(new Problem(409, "conflict", "stale", [], theirs));
    api.change.mockResolvedValueOnce(feedback(1, { priority: "high", tags: ["cart"], rev: 3 }));
    expect(await inbox.change(item, { tags: ["cart"] })).toBe(true);
    expect(api.change.mock.calls).toEqual([[item.id, { tags: ["cart"] }, 1], [item.id, { tags: ["cart"] }, 2]]);
    expect(inbox.conflict.value).toBeNull();
    expect(row(item.id)).toMatchObject({ priority: "high", tags: ["cart"], rev: 3 });
  });
});
