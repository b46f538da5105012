import { signal } from "@preact/signals";
import { expect, it, vi } from "vitest";
import type { FeedbackPage } from "../session/types";
import { feedback } from "../testing";
import { everything } from "./query";
import { createReading } from "./reading";
import * as list from "./rows";

const pages = 60;
const size = 50;

/** A list of 3,000 items, whose cursors are the numbers of their pages. */
function setUp() {
  const rows = signal(list.noRows);
  const listFeedback = vi.fn(async (_: string, __: unknown, cursor: string | null) => {
    const page = Number(cursor ?? 0);
    const items = Array.from({ length: size }, (_, at) => feedback(page * size + at));
    return { items, next_cursor: page + 1 < pages ? String(page + 1) : null } as unknown as FeedbackPage;
  });
  const reading = createReading({ api: { listFeedback }, projectId: "p1", rows, holding: () => true });
  const numbers = (): number[] => rows.value.items.map(({ id }) => Number(/\d+$/.exec(id)?.[0]));
  return { rows, reading, numbers };
}

it("keeps no more however far somebody reads, and brings back what is above", async () => {
  const { rows, reading, numbers } = setUp();
  await reading.show(everything);
  const whole = (): void => {
    const { items, dropped } = rows.value;
    expect(items.length).toBeLessThanOrEqual(1100);
    expect(numbers()).toEqual(Array.from(items, (_, at) => dropped + at));
  };
  for (let n = 1; n < pages; n++) {
    await reading.loadMore();
    whole();
  }
  expect(rows.value).toMatchObject({ dropped: 2000, cursor: null });
  while (rows.value.dropped > 0) {
    await reading.loadEarlier();
    whole();
  }
  expect(numbers()[0]).toBe(0);
  // And down again, over what was let go of at the end.
  while (rows.value.cursor) {
    await reading.loadMore();
    whole();
  }
  expect(numbers().at(-1)).toBe(pages * size - 1);
});
