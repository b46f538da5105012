import type { Kind } from "./config";

/** Line icons on a 20 × 20 grid. */
export const CLOSE = "M5.5 5.5l9 9M14.5 5.5l-9 9";
export const SPEECH = "M4.5 3.5h11a2 2 0 012 2v7a2 2 0 01-2 2H9L5 17.5V14.5h-.5a2 2 0 01-2-2v-7a2 2 0 012-2z";
export const CHECK = "M4.5 10.5l3.7 3.7 7.3-8";
export const CLOCK = "M10 2.5a7.5 7.5 0 100 15 7.5 7.5 0 100-15M10 6v4.3l2.8 1.7";
export const EYE = "M2 10s3-5.5 8-5.5 8 5.5 8 5.5-3 5.5-8 5.5S2 10 2 10zM10 7.8a2.2 2.2 0 100 4.4 2.2 2.2 0 100-4.4";

export const KINDS: Record<Kind, string> = {
  bug: "M6.5 8.5a3.5 3.5 0 017 0v4a3.5 3.5 0 01-7 0zM7.5 5.5L6 3.5M12.5 5.5L14 3.5M6.5 10.5H3M17 10.5h-3.5M10 8v8",
  idea: "M7.5 14.5c0-2-2.5-3-2.5-6a5 5 0 0110 0c0 3-2.5 4-2.5 6zM8 17.5h4",
  question: "M7 7.5a3 3 0 116 0c0 2-3 2.2-3 4.5M10 15.5v.2",
  praise: "M10 16.5S3 12.5 3 7.8a3.7 3.7 0 017-1.7 3.7 3.7 0 017 1.7c0 4.7-7 8.7-7 8.7z",
  other: "M4.5 10v.2M10 10v.2M15.5 10v.2",
};

/** A face for a rating of 1 to 5: only the bend of the mouth differs. */
export function face(rating: number): string {
  const bend = (rating - 3) * 1.7;
  return `M10 2.5a7.5 7.5 0 100 15 7.5 7.5 0 100-15M7.5 7.8v.4M12.5 7.8v.4M7 ${12.7 - bend / 3}q3 ${bend} 6 0`;
}
