import { signal } from "@preact/signals";
import { render } from "preact";
import { afterEach, expect, it, vi } from "vitest";
import { DashboardContext, type Dashboard } from "../context";
import { currentHref, inboxHref, navigate } from "../router";
import type { Api } from "../session/api";
import type { Feedback } from "../session/types";
import { feedback, settled } from "../testing";
import { createNotices } from "../ui/notices";
import { createConversation } from "./conversation";
import { DetailPane } from "./detail";
import type { Inbox } from "./inbox";
import { everything, type FeedbackQuery } from "./query";
import { noRows } from "./rows";
import { createShelf } from "./shelf";
import { useWalk, type Walk } from "./walk";

const shelf = createShelf(() => localStorage, "me", Date.now);
const items = [feedback(3), feedback(2), feedback(1)];
const [first, second, third] = items as [Feedback, Feedback, Feedback];
const view: FeedbackQuery = { ...everything, status: ["new"] };
const href = (id: string | null): string => inboxHref("p1", id, new URLSearchParams("status=new"));

/** A view of three new items in which nothing is answered until the test says so. */
function setUp(openId: string | null) {
  let answer = (_: boolean): void => undefined;
  const late = (): Promise<boolean> => new Promise((resolve) => (answer = resolve));
  const item = signal<Feedback | null>(items.find(({ id }) => id === openId) ?? null);
  const conversation = createConversation({
    api: { messages: async () => ({ items: [], next_cursor: null }) } as unknown as Api,
    live: { ask: () => null },
    shelf,
    newId: () => "new",
    now: Date.now,
    settled: () => undefined,
  });
  const inbox = { conversation, rows: signal({ ...noRows, items }), item, detail: signal({ name: "shown" }), load: signal("ready"), change: late, stays: ({ status }: Feedback) => status === "new", erase: vi.fn(late) } as unknown as Inbox;
  const notices = createNotices();
  const workspace = { canTriage: signal(true), canManage: signal(true), me: signal(null) };
  const live = { viewing: { open: () => undefined, typed: () => undefined, rested: () => undefined } };
  let walk!: Walk;
  function Page() {
    walk = useWalk({ inbox, projectId: "p1", feedbackId: openId, query: view }, () => undefined);
    return <DetailPane inbox={inbox} shelf={shelf} viewers={new Map()} port={{ open: null, wanted: null }} selectedId={item.value?.id ?? null} onStatus={(item, status) => walk.change(item, { status }, "")} onEdit={() => undefined} onStep={walk.step} onBack={walk.back} />;
  }
  navigate(href(openId));
  render(<DashboardContext.Provider value={{ notices, workspace, live: () => live } as unknown as Dashboard}><Page /></DashboardContext.Provider>, document.body);
  const press = async (testid: string): Promise<void> => {
    document.querySelector<HTMLElement>(`[data-testid=${testid}]`)?.click();
    await settled();
  };
  const answered = async (kept: boolean): Promise<void> => {
    answer(kept);
    await settled();
  };
  return { walk, inbox, item, notices, press, answered };
}

afterEach(() => {
  render(null, document.body);
});

it("goes on to the next item, and back where the change was undone", async () => {
  const { walk, answered } = setUp(second.id);
  void walk.change(second, { status: "resolved" }, "");
  expect(currentHref.value).toBe(href(third.id));
  await answered(false);
  expect(currentHref.value).toBe(href(second.id));
});

it("leaves who has gone on meanwhile where they are", async () => {
  const { walk, answered } = setUp(second.id);
  void walk.change(second, { status: "resolved" }, "");
  navigate("/projects/p1/settings");
  await answered(false);
  expect(currentHref.value).toBe("/projects/p1/settings");
});

it("opens nothing where nothing was open", async () => {
  const { walk, answered } = setUp(null);
  void walk.change(second, { status: "resolved" }, "");
  await answered(false);
  expect(currentHref.value).toBe(href(null));
});

it.each([
  ["leads back to the list", href(second.id), href(null)],
  ["leads nobody away who has gone on", href(first.id), href(first.id)],
])("an erasure %s", async (_, at, want) => {
  const { press, answered, notices } = setUp(second.id);
  await press("erase");
  await press("erase-confirm");
  navigate(at);
  await answered(true);
  expect(currentHref.value).toBe(want);
  expect(notices.list.value).toHaveLength(1);
});

it("asks about erasing one item only", async () => {
  const { press, item, inbox } = setUp(second.id);
  await press("erase");
  item.value = first;
  await settled();
  await press("erase-confirm");
  item.value = second;
  await settled();
  await press("erase-confirm");
  expect(inbox.erase).not.toHaveBeenCalled();
});
