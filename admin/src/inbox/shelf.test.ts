import { beforeEach, expect, it } from "vitest";
import { createShelf } from "./shelf";

beforeEach(() => {
  localStorage.clear();
  sessionStorage.clear();
});

const draft = { body: "text", visibility: "public" as const, mark: null };
const unsent = { id: "m1", feedbackId: "f1", visibility: "public" as const, body: "text", at: "2026-01-01T00:00:00.000Z" };

it("keeps drafts apart by person and item", () => {
  const [ann, ben] = [createShelf(() => localStorage, "ann", () => 0), createShelf(() => localStorage, "ben", () => 0)];
  ann.keepDraft("f1", draft);
  expect([ann.draft("f1"), ann.draft("f2"), ben.draft("f1")]).toEqual([draft, null, null]);
  ann.keepDraft("f1", { ...draft, body: "  " });
  expect([ann.draft("f1"), localStorage.length]).toEqual([null, 0]);
});

it("forgets what nobody touched for a month, and what was said about an erased item", () => {
  let now = 0;
  const shelf = createShelf(() => localStorage, "ann", () => now);
  shelf.keepDraft("f1", draft);
  shelf.keepUnsent(unsent);
  now = 31 * 24 * 3_600_000;
  expect([shelf.draft("f1"), shelf.unsent("f1"), localStorage.length]).toEqual([null, [], 0]);
  shelf.keepDraft("f1", draft);
  shelf.keepUnsent(unsent);
  shelf.forget("f1");
  expect(localStorage.length).toBe(0);
});

it("does without a storage", () => {
  const shelf = createShelf(
    () => {
      throw new DOMException("off", "SecurityError");
    },
    "ann",
    () => 0,
  );
  shelf.keepDraft("f1", draft);
  shelf.keepUnsent(unsent);
  expect([shelf.draft("f1"), shelf.unsent("f1")]).toEqual([null, []]);
});
