import type { Kind } from "./config";

/** Line icons on a 20 × 20 grid. */
export const CLOSE = "M5 5l10 10M15 5L5 15";
export const SPEECH = "M5 3h10a3 3 0 013 3v6a3 3 0 01-3 3h-5l-5 3v-3a3 3 0 01-3-3V6a3 3 0 013-3z";
export const CHECK = "M4 11l4 4 8-9";
export const CLOCK = "M10 2v9l6 3";

export const KINDS: Record<Kind, string> = {
  bug: "M6 9a4 4 0 018 0v4a4 4 0 01-8 0zM7 6L5 3M13 6l2-3M6 11H2M18 11h-4",
  idea: "M8 15c0-3-3-3-3-7a5 5 0 0110 0c0 4-3 4-3 7zM8 18h4",
  question: "M7 7a3 3 0 116 0c0 3-3 2-3 5M10 16v0",
  praise: "M10 17q-14-9-5-13 3-1 5 2 2-3 5-2 9 4-5 13z",
  other: "M4 10v0M10 10v0M16 10v0",
};

/** A face for a rating of 1 to 5: only the bend of the mouth differs. */
export const face = (rating: number): string =>
  `M10 2a8 8 0 100 16 8 8 0 100-16M7 8v0M13 8v0M7 ${14 - rating / 2}q3 ${2 * rating - 6} 6 0`;
