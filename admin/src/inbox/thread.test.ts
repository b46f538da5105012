import { describe, expect, it } from "vitest";
import { message, told } from "../testing";
import { endOf, heard, newerThan, noThread, reread, withPage, without, type Thread } from "./thread";

const page = (...numbers: number[]) => ({ items: numbers.map((n) => message(n)), next_cursor: null });
const texts = ({ items }: Thread): string[] => items.map(({ body }) => body);
const note = (n: number, over = {}) => message(n, { visibility: "internal", ...over });

describe("a thread", () => {
  it("has each message once and in the order of time, whichever way it came", () => {
    let thread = heard(noThread, told("MessagePosted", message(3)));
    thread = withPage(thread, page(4, 2, 1), false);
    thread = heard(thread, told("MessagePosted", message(2)));
    expect(texts(thread)).toEqual(["text 1", "text 2", "text 3", "text 4"]);
  });

  it("orders moments that the server spells with and without a fraction", () => {
    const [early, late] = [message(1, { created_at: "2026-01-01T00:00:00Z" }), message(0, { created_at: "2026-01-01T00:00:00.5Z", body: "later" })];
    expect(texts(withPage(noThread, { items: [late, early], next_cursor: null }, false))).toEqual(["text 1", "later"]);
  });

  it("keeps the newer form of a note", () => {
    let thread = withPage(noThread, { items: [note(1)], next_cursor: null }, false);
    thread = heard(thread, told("NoteEdited", note(1, { rev: 3, body: "third" })));
    thread = heard(thread, told("NoteEdited", note(1, { rev: 2, body: "second" })));
    thread = withPage(thread, { items: [note(1)], next_cursor: null }, false);
    expect(texts(thread)).toEqual(["third"]);
  });

  it("applies an edit that overtook the page which brings its note", () => {
    const thread = heard(noThread, told("NoteEdited", note(1, { rev: 2, body: "second" })));
    expect(texts(withPage(thread, { items: [note(1)], next_cursor: null }, false))).toEqual(["second"]);
  });

  it("waits for the text of a note that a replay tells without", () => {
    let thread = heard(noThread, told("NoteAdded", note(1, { body: "" })));
    expect(texts(thread)).toEqual([""]);
    thread = heard(thread, told("NoteEdited", note(1, { rev: 2, body: "now" })));
    expect(thread.items[0]).toMatchObject({ body: "now", rev: 2, visibility: "internal", created_at: note(1).created_at });
  });

  it("does not bring back what was deleted", () => {
    const thread = heard(heard(noThread, told("NoteAdded", note(1))), told("NoteDeleted", note(1, { rev: 2 })));
    expect(texts(withPage(thread, { items: [note(1)], next_cursor: null }, false))).toEqual([]);
  });

  it("adds older pages and remembers where the next begins", () => {
    const first = withPage(noThread, { ...page(4, 3), next_cursor: "a" }, false);
    const all = withPage(first, { ...page(2, 1), next_cursor: null }, true);
    expect([first.cursor, all.cursor, texts(all)]).toEqual(["a", null, ["text 1", "text 2", "text 3", "text 4"]]);
  });
});

describe("a second read", () => {
  const known = (thread: Thread): Set<string> => new Set(thread.items.map(({ id }) => id));

  it("drops what was deleted meanwhile, within its reach only", () => {
    const thread = withPage(withPage(noThread, { ...page(4, 3), next_cursor: "a" }, false), { ...page(2, 1), next_cursor: "b" }, true);
    const next = reread(thread, { ...page(4, 2), next_cursor: "c" }, known(thread));
    expect([texts(next), next.cursor]).toEqual([["text 1", "text 2", "text 4"], "b"]);
  });

  it("keeps what came while it was under way", () => {
    const before = withPage(noThread, page(1), false);
    const thread = heard(before, told("MessagePosted", message(2)));
    expect(texts(reread(thread, page(1), known(before)))).toEqual(["text 1", "text 2"]);
  });

  it("leaves no hole: where it joins nothing that is known it stands alone", () => {
    const thread = withPage(noThread, { ...page(2, 1), next_cursor: "a" }, false);
    const next = reread(thread, { ...page(9, 8), next_cursor: "b" }, known(thread));
    expect([texts(next), next.cursor]).toEqual([["text 8", "text 9"], "b"]);
  });
});

it("newerThan: public, of others, and after the mark", () => {
  let thread = withPage(noThread, page(1), false);
  const mark = endOf(thread);
  for (const event of [note(2), message(3, { author: { kind: "member", user_id: "me", name: "Ann" } }), message(4)])
    thread = heard(thread, told(event.visibility === "internal" ? "NoteAdded" : "MessagePosted", event));
  thread = heard(thread, told("MessagePosted", message(5, { author: { kind: "visitor", name: "Mara" } })));
  expect(newerThan(thread, mark, "me").map(({ body }) => body)).toEqual(["text 4", "text 5"]);
  expect(newerThan(without(thread, message(4).id), mark, "me")).toHaveLength(1);
});
