import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { viewersByItem, withDiff, type Member } from "./presence";
import { createViewing, type View } from "./viewing";

const member = (user_id: string, feedback_id?: string, typing = false): Member => ({ user_id, name: user_id, feedback_id, typing });

describe("withDiff", () => {
  it("lets who turned to another item leave before they join", () => {
    const members = withDiff([member("ann", "f1"), member("ben")], { joined: [member("ann", "f2")], left: [member("ann", "f1")] });
    expect(members).toEqual([member("ben"), member("ann", "f2")]);
  });

  it("has each once, and forgives what it does not know", () => {
    expect(withDiff([member("ann")], { joined: [member("ann")], left: [member("ben", "f1")] })).toEqual([member("ann")]);
    expect(withDiff([member("ann")], { joined: null, left: null })).toEqual([member("ann")]);
  });
});

describe("viewersByItem", () => {
  it("leaves oneself out, in every window, and joins another's windows", () => {
    const viewers = viewersByItem([member("me", "f1"), member("me", "f2", true), member("ben", "f1"), member("ben", "f1", true), member("ann")], "me");
    expect([...viewers]).toEqual([["f1", [{ userId: "ben", name: "ben", typing: true }]]]);
  });

  it("keeps the lists that did not change", () => {
    const before = viewersByItem([member("ann", "f1"), member("ben", "f2")], "me");
    const after = viewersByItem([member("ann", "f1"), member("ben", "f2", true)], "me", before);
    expect([after.get("f1") === before.get("f1"), after.get("f2") === before.get("f2")]).toEqual([true, false]);
  });
});

describe("viewing", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  function setUp() {
    const told: View[] = [];
    const viewing = createViewing((view) => told.push(view));
    const news = (): string => told.splice(0).map(({ feedback_id, typing }) => `${feedback_id}${typing ? " typing" : ""}`).join(", ");
    return { viewing, news };
  }

  it("tells of the item that is stayed on, not of those on the way", () => {
    const { viewing, news } = setUp();
    for (const id of ["f1", "f2", "f3"]) viewing.open(id);
    vi.advanceTimersByTime(200);
    expect(news()).toBe("f3");
    viewing.open(null);
    vi.advanceTimersByTime(200);
    expect(news()).toBe("null");
  });

  it("repeats typing every three seconds, and ends it after five without a key", () => {
    const { viewing, news } = setUp();
    viewing.open("f1");
    vi.advanceTimersByTime(200);
    viewing.typed();
    viewing.typed();
    expect(news()).toBe("f1, f1 typing");
    vi.advanceTimersByTime(3_000);
    expect(news()).toBe("f1 typing");
    vi.advanceTimersByTime(2_000);
    expect(news()).toBe("f1");
    vi.advanceTimersByTime(10_000);
    expect(news()).toBe("");
  });

  it("has nothing open in a hidden window, and says it anew to another connection", () => {
    const { viewing, news } = setUp();
    viewing.open("f1");
    vi.advanceTimersByTime(200);
    viewing.typed();
    news();
    viewing.visible(false);
    vi.advanceTimersByTime(10_000);
    expect(news()).toBe("null");
    viewing.visible(true);
    viewing.connected();
    expect(news()).toBe("f1, f1");
  });
});
