import { signal } from "@preact/signals";
import { render } from "preact";
import { afterEach, expect, it, vi } from "vitest";
import { DashboardContext, type Dashboard } from "../context";
import type { ViewList } from "../session/types";
import { settled } from "../testing";
import { NavViews } from "./nav-views";

afterEach(() => {
  render(null, document.body);
  vi.restoreAllMocks();
});

const counts = (total: number): ViewList => ({ built_in: [{ name: "all", total }], items: [] }) as unknown as ViewList;

it("shows the current view once it is counted, and leaves the bar to who scrolls it when counts change", async () => {
  const scrolled = vi.spyOn(Element.prototype, "scrollIntoView").mockImplementation(() => undefined);
  const list = signal<ViewList | null>(null);
  const dashboard = {
    views: { list, show: () => undefined, stale: () => undefined },
    session: { state: signal({ name: "in" }) },
    live: () => ({ changes: signal(0) }),
    workspace: { me: signal(null), canManage: signal(false), canTriage: signal(false) },
  } as unknown as Dashboard;
  const place = { name: "inbox", projectId: "p1", feedbackId: null, query: new URLSearchParams() } as const;
  render(<DashboardContext.Provider value={dashboard}><nav class="nav"><ul><NavViews place={place} projectId="p1" /></ul></nav></DashboardContext.Provider>, document.body);
  await settled();
  for (const [total, want] of [[1, 2], [2, 2], [3, 2]] as const) {
    list.value = counts(total);
    await settled();
    await vi.waitFor(() => expect(document.body.textContent).toContain(`${total}`));
    await new Promise((done) => setTimeout(done, 50));
    expect(scrolled, `after ${total}`).toHaveBeenCalledTimes(want);
  }
});
