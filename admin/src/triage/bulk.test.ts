import { expect, it, vi } from "vitest";
import { createPaneState } from "../inbox/panes";
import { noRows } from "../inbox/rows";
import { Unreachable } from "../session/problem";
import type { BulkItem, BulkResult, Feedback } from "../session/types";
import { feedback } from "../testing";
import { createBulk } from "./bulk";
import { forOne } from "./changes";

/** A server that does as it is told, but for what `refuse` names. */
function setUp(count: number, refuse: Record<string, Partial<BulkResult>> = {}) {
  const items = Array.from({ length: count }, (_, n) => feedback(count - n));
  const server = new Map(items.map((item) => [item.id, item]));
  const panes = createPaneState();
  panes.rows.value = { ...noRows, items, total: count };
  const api = {
    changeSeveral: vi.fn(async (_: string, asked: readonly BulkItem[]): Promise<BulkResult[]> =>
      asked.map(({ id, rev, changes }) => {
        const old = server.get(id) as Feedback;
        const no = refuse[id];
        if (no) return { id, outcome: "refused", ...no };
        if (rev && rev !== old.rev) return { id, outcome: "refused", code: "conflict", item: old };
        const item = { ...old, ...forOne(old, changes), rev: old.rev + 1 };
        server.set(id, item);
        return { id, outcome: "changed", item, before: { status: old.status } };
      })),
  };
  const bulk = createBulk({ api, projectId: "p1", panes, stays: ({ status }) => status === "new" });
  const shown = (): string[] => panes.rows.value.items.map(({ message }) => message);
  return { bulk, api, items, server, panes, shown };
}

const ids = (items: readonly Feedback[]): string[] => items.map(({ id }) => id);

it("changes several at once and gives the way back", async () => {
  const { bulk, items, shown } = setUp(3);
  const done = bulk.change(ids(items.slice(0, 2)), { status: "resolved" });
  expect(shown()).toEqual(["message 1"]);
  const outcome = await done;
  expect(outcome).toMatchObject({ changed: 2, refused: 0, failed: false });
  await outcome.undo?.();
  expect(shown()).toEqual(["message 3", "message 2", "message 1"]);
});

it("puts back what was refused, and takes away what is gone", async () => {
  const [first, second] = [feedback(2), feedback(1)];
  const { bulk, items, shown } = setUp(2, { [first.id]: { code: "conflict", item: feedback(2, { rev: 4 }) }, [second.id]: { code: "not_found" } });
  const outcome = await bulk.change(ids(items), { status: "resolved" });
  expect(outcome).toMatchObject({ changed: 0, refused: 2, undo: null });
  expect(shown()).toEqual(["message 2"]);
});

it("leaves alone on the way back what somebody else has changed since", async () => {
  const { bulk, items, server, shown } = setUp(2);
  const outcome = await bulk.change(ids(items), { status: "resolved" });
  const [first] = items as [Feedback];
  server.set(first.id, { ...(server.get(first.id) as Feedback), priority: "high", rev: 9 });
  expect(await outcome.undo?.()).toMatchObject({ changed: 1, refused: 1 });
  expect(shown()).toEqual(["message 1"]);
});

it("asks for two hundred at a time, and says how far it is", async () => {
  const { bulk, api, items } = setUp(450);
  const seen: number[] = [];
  bulk.progress.subscribe((progress) => progress && seen.push(progress.done));
  await bulk.change(ids(items), { status: "resolved" });
  expect(api.changeSeveral.mock.calls.map(([, part]) => part.length)).toEqual([200, 200, 50]);
  expect(seen).toEqual([0, 200, 400]);
});

it("puts back what the network kept from the server", async () => {
  const { bulk, api, items, shown } = setUp(250);
  api.changeSeveral.mockRejectedValueOnce(new Unreachable("down"));
  const outcome = await bulk.change(ids(items), { status: "resolved" });
  expect(outcome).toMatchObject({ changed: 0, failed: true, undo: null });
  expect(shown().length).toBe(250);
});
