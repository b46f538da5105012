import { expect, it } from "vitest";
import { uuidv7 } from "./uuid";

it("makes version 7, lower case, in the order of time, each another", () => {
  const [early, late, again] = [uuidv7(1_700_000_000_000), uuidv7(1_700_000_000_001), uuidv7(1_700_000_000_001)];
  for (const id of [early, late]) expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  expect(early < late).toBe(true);
  expect(late).not.toBe(again);
  expect(parseInt(early.replace("-", "").slice(0, 12), 16)).toBe(1_700_000_000_000);
});
