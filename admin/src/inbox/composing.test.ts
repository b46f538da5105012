import { signal } from "@preact/signals";
import { beforeEach, expect, it, vi } from "vitest";
import { message } from "../testing";
import { createComposing, maxBody, tooLong } from "./composing";
import { createShelf } from "./shelf";
import { endOf, noThread, withMessages } from "./thread";

beforeEach(() => localStorage.clear());

function setUp() {
  const thread = signal(noThread);
  let seen = endOf(noThread);
  const conversation = { thread, seen: () => seen, send: vi.fn() };
  const open = () => createComposing({ feedbackId: "f1", me: "me", conversation, shelf: createShelf(() => localStorage, "me", Date.now) });
  const arrive = (n: number, over = {}): void => void (thread.value = withMessages(thread.value, [message(n, over)]));
  const look = (): void => void (seen = endOf(thread.value));
  return { open, arrive, look, send: conversation.send };
}

it("keeps the draft over a reload, with whom it is for, and not after it was sent", () => {
  const { open, send } = setUp();
  const first = open();
  first.address("internal");
  first.write("half a thought");
  const second = open();
  expect([second.body.value, second.visibility.value]).toEqual(["half a thought", "internal"]);
  expect(second.send()).toBe(true);
  expect(send).toHaveBeenCalledWith("f1", "internal", "half a thought");
  expect([second.body.value, open().body.value]).toEqual(["", ""]);
});

it("asks where a newer message came since the first character, and only once", () => {
  const { open, arrive, look, send } = setUp();
  arrive(1);
  look();
  const composing = open();
  composing.write("a");
  arrive(2);
  look();
  composing.write("an answer");
  expect(composing.send()).toBe(false);
  expect(composing.newer.value?.map(({ body }) => body)).toEqual(["text 2"]);
  composing.reconsider();
  expect(composing.newer.value).toBeNull();
  expect(composing.send()).toBe(true);
  expect(send).toHaveBeenCalledOnce();
});

it("asks also for a draft from before a reload", () => {
  const { open, arrive, look } = setUp();
  open().write("an answer");
  arrive(1);
  look();
  const later = open();
  expect(later.send()).toBe(false);
  later.confirm();
  expect(later.body.value).toBe("");
});

it.each([
  ["a note is nobody's business outside", "internal", {}],
  ["one's own message", "public", { author: { kind: "member", user_id: "me", name: "Ann" } }],
  ["a note of somebody else", "public", { visibility: "internal" }],
] as const)("does not ask: %s", (_, visibility, over) => {
  const { open, arrive } = setUp();
  const composing = open();
  composing.address(visibility);
  composing.write("text");
  arrive(1, over);
  expect(composing.send()).toBe(true);
});

it("sends neither blanks nor more than the server takes", () => {
  const { open, send } = setUp();
  const composing = open();
  for (const text of ["", " \n ", "x".repeat(maxBody + 1)]) {
    composing.write(text);
    expect(composing.send()).toBe(false);
  }
  expect(send).not.toHaveBeenCalled();
  // Code points are counted, not UTF-16 units.
  expect(tooLong("🙂".repeat(maxBody))).toBe(false);
});
