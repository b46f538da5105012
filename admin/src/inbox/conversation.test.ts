import { beforeEach, describe, expect, it, vi } from "vitest";
import { Problem, Unreachable } from "../session/problem";
import type { Message, MessagePage } from "../session/types";
import { message, settled, told } from "../testing";
import { createConversation } from "./conversation";
import { createShelf } from "./shelf";

beforeEach(() => localStorage.clear());

const empty: MessagePage = { items: [], next_cursor: null };

/** A conversation whose socket answers what the test says; without `ask` there is none. */
async function setUp(ask: (() => Promise<void>) | null = null, page: MessagePage = empty) {
  let ids = 0;
  const api = {
    messages: vi.fn(async () => page),
    postMessage: vi.fn(async (_: string, body: { id?: string; body: string }) => message(50, { id: body.id as string, body: body.body })),
    editNote: vi.fn(async (_: string, id: string, body: string, rev: number) => message(1, { id, body, rev: rev + 1, visibility: "internal" })),
    deleteNote: vi.fn(async () => undefined),
  };
  const live = { ask: vi.fn(() => (ask ? ask() : null)) };
  const shelf = createShelf(() => localStorage, "me", Date.now);
  const done = vi.fn();
  const conversation = createConversation({ api, live, shelf, newId: () => `new-${++ids}`, now: () => 0, settled: done });
  await conversation.open("f1");
  const states = (): string[] => conversation.outgoing.value.map(({ body, state }) => `${body}: ${state}`);
  const texts = (): string[] => conversation.thread.value.items.map(({ body }) => body);
  return { conversation, api, live, shelf, done, states, texts };
}

describe("a message", () => {
  it("shows at once, goes by the socket, and is there once when the log tells of it", async () => {
    let answer!: () => void;
    const { conversation, api, live, states, texts } = await setUp(() => new Promise((resolve) => (answer = resolve)));
    conversation.send("f1", "public", " hello ");
    expect(states()).toEqual(["hello: sending"]);
    expect(live.ask).toHaveBeenCalledWith({ type: "ReplySent", id: "new-1", data: { feedback_id: "f1", body: "hello" } });
    answer();
    await settled();
    expect(states()).toEqual(["hello: sent"]);
    conversation.heard(told("MessagePosted", message(1, { id: "new-1", body: "hello" })));
    expect([states(), texts()]).toEqual([[], ["hello"]]);
    expect(api.postMessage).not.toHaveBeenCalled();
  });

  it("is settled by the log where that is quicker than the answer", async () => {
    let answer!: () => void;
    const { conversation, states, texts } = await setUp(() => new Promise((resolve) => (answer = resolve)));
    conversation.send("f1", "internal", "note");
    conversation.heard(told("NoteAdded", message(1, { id: "new-1", body: "note", visibility: "internal" })));
    answer();
    await settled();
    expect([states(), texts()]).toEqual([[], ["note"]]);
  });

  it("goes by HTTP where there is no socket, or where that falls silent, under the same id", async () => {
    for (const ask of [null, () => Promise.reject(new Unreachable("lost"))]) {
      const { conversation, api, states, texts } = await setUp(ask);
      conversation.send("f1", "public", "hello");
      await settled();
      expect(api.postMessage).toHaveBeenCalledWith("f1", { id: "new-1", body: "hello", visibility: "public" });
      expect([states(), texts()]).toEqual([[], ["hello"]]);
    }
  });

  it("keeps its text and its id where it failed, also over a reload, until it is sent", async () => {
    const { conversation, api, shelf, done, states } = await setUp();
    api.postMessage.mockRejectedValueOnce(new Unreachable("no network"));
    conversation.send("f1", "public", "hello");
    await settled();
    expect(states()).toEqual(["hello: failed"]);
    expect(done).toHaveBeenCalledWith(expect.objectContaining({ state: "failed" }), true);

    const later = await setUp();
    expect(later.states()).toEqual(["hello: failed"]);
    later.conversation.retry("new-1");
    await settled();
    expect(later.api.postMessage.mock.lastCall?.[1].id).toBe("new-1");
    expect([later.states(), shelf.unsent("f1")]).toEqual([[], []]);
  });

  it("was not lost where only its answer was: the page that has it settles it", async () => {
    const { conversation, api } = await setUp();
    api.postMessage.mockRejectedValueOnce(new Unreachable("no answer"));
    conversation.send("f1", "public", "hello");
    await settled();
    const later = await setUp(null, { items: [message(1, { id: "new-1", body: "hello" })], next_cursor: null });
    expect([later.states(), later.texts()]).toEqual([[], ["hello"]]);
  });

  it("that is refused is not tried by another way, and can be taken back", async () => {
    const { conversation, api, shelf, states } = await setUp(() => Promise.reject(new Problem(422, "invalid_field", "too long")));
    conversation.send("f1", "public", "hello");
    await settled();
    expect(states()).toEqual(["hello: failed"]);
    expect(api.postMessage).not.toHaveBeenCalled();
    expect(conversation.take("new-1")?.body).toBe("hello");
    expect([states(), shelf.unsent("f1")]).toEqual([[], []]);
  });

  it("goes on where its item was left, and says so where it fails", async () => {
    const { conversation, api, done, states } = await setUp();
    let fail!: (error: unknown) => void;
    api.postMessage.mockReturnValueOnce(new Promise<Message>((_, reject) => (fail = reject)));
    conversation.send("f1", "public", "hello");
    await conversation.open("f2");
    fail(new Unreachable("no network"));
    await settled();
    expect(done).toHaveBeenCalledWith(expect.objectContaining({ feedbackId: "f1", state: "failed" }), false);
    expect(states()).toEqual(["hello: failed"]);
  });
});

describe("a note", () => {
  const note = message(1, { visibility: "internal", body: "first" });
  const page: MessagePage = { items: [note], next_cursor: null };

  it("is edited and deleted at the revision that was read", async () => {
    const { conversation, api, texts } = await setUp(null, page);
    expect(await conversation.editNote(note, " second ")).toBe("done");
    expect(api.editNote).toHaveBeenCalledWith("f1", note.id, "second", 1);
    expect(texts()).toEqual(["second"]);
    expect(await conversation.deleteNote({ ...note, rev: 2 })).toBe("done");
    expect(texts()).toEqual([]);
  });

  it("that somebody else changed is read again", async () => {
    const { conversation, api, texts } = await setUp(null, page);
    api.editNote.mockRejectedValueOnce(new Problem(409, "conflict", "changed"));
    api.messages.mockResolvedValueOnce({ items: [{ ...note, body: "theirs", rev: 2 }], next_cursor: null });
    expect(await conversation.editNote(note, "mine")).toBe("conflict");
    expect(texts()).toEqual(["theirs"]);
  });

  it("that is gone is taken off the screen", async () => {
    const { conversation, api, texts } = await setUp(null, page);
    api.editNote.mockRejectedValueOnce(new Problem(404, "not_found", "gone"));
    api.messages.mockResolvedValueOnce(empty);
    expect(await conversation.editNote(note, "mine")).toBe("gone");
    expect(texts()).toEqual([]);
  });
});

it("late answers about an item that was left change nothing", async () => {
  const { conversation, api, texts } = await setUp();
  let answer!: (page: MessagePage) => void;
  api.messages.mockReturnValueOnce(new Promise<MessagePage>((resolve) => (answer = resolve)));
  const first = conversation.open("f2");
  await conversation.open("f3");
  answer({ items: [message(1, { feedback_id: "f2" })], next_cursor: null });
  await first;
  expect(texts()).toEqual([]);
});
