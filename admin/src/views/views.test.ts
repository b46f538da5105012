import { describe, expect, it, vi } from "vitest";
import { everything, readQuery, readView, sameList, viewBody, writeQuery, type FeedbackQuery } from "../inbox/query";
import type { ViewList } from "../session/types";
import { settled } from "../testing";
import { builtInOf, createViews } from "./views";

function setUp() {
  const answer = { built_in: [], items: [] } as ViewList;
  const api = { views: vi.fn(async () => answer), createView: vi.fn(), updateView: vi.fn(), deleteView: vi.fn(async () => undefined) };
  const work: { run: () => void; ms: number }[] = [];
  const at = { now: 10_000, hidden: false };
  const views = createViews({ api, hidden: () => at.hidden, later: (run, ms) => work.push({ run, ms }), now: () => at.now });
  return { api, work, at, views };
}

describe("counting", () => {
  it("is done once for many changes, and not before its pause is over", async () => {
    const { api, work, at, views } = setUp();
    views.show("p1");
    await settled();
    for (let n = 0; n < 50; n++) views.stale();
    expect(work.map(({ ms }) => ms)).toEqual([2000]);
    at.now += 2000;
    work.pop()?.run();
    await settled();
    expect(api.views).toHaveBeenCalledTimes(2);
    at.now += 5000;
    views.stale();
    expect(work.map(({ ms }) => ms)).toEqual([0]);
  });

  it("takes its time while nobody looks, and none once somebody does", async () => {
    const { api, work, at, views } = setUp();
    views.show("p1");
    await settled();
    at.hidden = true;
    views.stale();
    expect(work.map(({ ms }) => ms)).toEqual([15_000]);
    at.now += 3000;
    at.hidden = false;
    views.stale();
    expect(work.map(({ ms }) => ms)).toEqual([15_000, 0]);
    // Both timers end, and one count is made.
    for (const { run } of work) run();
    await settled();
    expect(api.views).toHaveBeenCalledTimes(2);
  });

  it("of another project is dropped", async () => {
    const { api, views } = setUp();
    let late = (_: ViewList): void => undefined;
    api.views.mockReturnValueOnce(new Promise((resolve) => (late = resolve)));
    views.show("p1");
    views.show("p2");
    await settled();
    const second = views.list.value;
    late({ built_in: [], items: [] });
    await settled();
    expect(views.list.value).toBe(second);
  });
});

describe("a query", () => {
  const full: FeedbackQuery = {
    ...everything, status: ["new", "open"], kind: ["bug"], priority: ["urgent"], rating: [5, 1], tag: "vip & co", assignee: "none", q: "cart",
    from: "2026-01-01T00:00:00.000Z", to: "2026-02-01T00:00:00.000Z", page_url: "https://shop.example/?a=1&b=2", unread: true, sort: "-rating",
  };
  it("comes back from its address", () => expect(readQuery(new URLSearchParams(writeQuery(full).toString()))).toEqual(full));
  it("comes back from a saved view", () => expect(readView(JSON.parse(JSON.stringify(viewBody(full))), "")).toEqual(full));
  it("says nothing of what is not asked", () => {
    expect(writeQuery(everything).toString()).toBe("");
    expect(viewBody(everything)).toEqual({});
  });
  it("leaves out what is not known", () => {
    expect(readQuery(new URLSearchParams("status=done,new&kind=x&rating=9&from=yesterday&sort=colour&unread=maybe"))).toEqual({ ...everything, status: ["new"] });
    expect(readQuery(new URLSearchParams("sort=relevance")).sort).toBe("");
  });
  it("lists the same whatever view it began as", () => expect(sameList({ ...full, view: "v1" }, full)).toBe(true));
});

describe("the view that a list began as", () => {
  it.each([
    ["", "all"],
    ["q=cart", "all"],
    ["sort=created_at&kind=bug", "all"],
    ["status=new,open,in_progress", "inbox"],
    ["status=new,open,in_progress&q=cart", "inbox"],
    ["status=new", "inbox"],
    ["status=new,resolved", "all"],
    ["status=new,open,in_progress&assignee=me&q=cart", "mine"],
    ["status=new,open,in_progress&assignee=none&kind=bug", "unassigned"],
    ["unread=true&q=cart", "unread"],
    ["status=resolved&q=cart", "resolved"],
    ["quarantined=true&q=cart", "quarantine"],
  ])("%s", (search, want) => expect(builtInOf(readQuery(new URLSearchParams(search)))).toBe(want));
});
