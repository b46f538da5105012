import { expect, it } from "vitest";
import { grouped, lastDays } from "./range";

it("names the last days, and those before", () => {
  const now = new Date(2026, 2, 29, 23, 30);
  expect(lastDays(7, now)).toEqual({ from: "2026-03-23", to: "2026-03-30" });
  expect(lastDays(7, now, 1)).toEqual({ from: "2026-03-16", to: "2026-03-23" });
});

it("groups from the end", () => {
  expect(grouped([1, 2, 3, 4, 5], 2)).toEqual([[1], [2, 3], [4, 5]]);
  expect(grouped([1, 2], 1)).toEqual([[1], [2]]);
});
