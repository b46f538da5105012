import { describe, expect, it } from "vitest";
import { feedback } from "../testing";
import { before, contested, forOne, isNothing, missing } from "./changes";
import { createSelection, maxSelected } from "./selection";

describe("changes", () => {
  const item = feedback(1, { tags: ["b", "a"], priority: "high" });

  it("are what an item does not have yet", () => {
    expect(missing(item, { status: "new", priority: "low", tags: ["a", "b"] })).toEqual({ priority: "low" });
    expect(isNothing(missing(item, { assignee_id: null }))).toBe(true);
    expect(before(item, { assignee_id: "m1", tags: ["a"], status: "new" })).toEqual({ assignee_id: null, tags: ["b", "a"] });
  });

  it("of two people meet only in the same field, and only if they differ", () => {
    const theirs = { ...item, status: "open" as const, rev: 2 };
    expect(contested(item, { priority: "low" }, theirs)).toBe(false);
    expect(contested(item, { status: "open" }, theirs)).toBe(false);
    expect(contested(item, { status: "resolved", priority: "low" }, theirs)).toBe(true);
  });

  it("for many are made for each one", () => {
    expect(forOne(item, { add_tags: ["c", "a"], remove_tags: ["b", "x"], status: "open" })).toEqual({ status: "open", tags: ["a", "c"] });
    expect(forOne(item, { assignee_id: null })).toEqual({ assignee_id: null });
  });
});

describe("a selection", () => {
  const order = ["a", "b", "c", "d"];
  const of = (selection: ReturnType<typeof createSelection>): string => [...selection.ids.value].sort().join("");

  it("is toggled one by one, and extended from the last one in both directions", () => {
    const selection = createSelection();
    selection.extend(order, "c");
    expect(of(selection)).toBe("c");
    selection.extend(order, "a");
    expect(of(selection)).toBe("abc");
    selection.toggle("b");
    expect(of(selection)).toBe("ac");
    selection.extend(order, "d");
    expect(of(selection)).toBe("abcd");
    selection.drop(["a", "x"]);
    expect(of(selection)).toBe("bcd");
    selection.clear();
    selection.extend(order, "b");
    expect(of(selection)).toBe("b");
  });

  it("has a bound", () => {
    const selection = createSelection();
    selection.add(Array.from({ length: maxSelected + 5 }, (_, n) => String(n)));
    expect(selection.ids.value.size).toBe(maxSelected);
  });
});
