/** How far this dashboard has read a project's log. */
export interface Position {
  epoch: string;
  seq: number;
}

/**
 * What a numbered event means for a reader at `position`. The server promises consecutive numbers and delivery at least
 * once: a repeat is dropped, a jump means something was lost on the way and the log must be read again from `position`.
 */
export type Step = { kind: "apply"; position: Position } | { kind: "repeat" } | { kind: "gap" } | { kind: "foreign" };

export function step(position: Position | null, epoch: string, seq: number): Step {
  if (!position) return { kind: "apply", position: { epoch, seq } };
  // Another epoch is another history: numbers cannot be compared, only a fresh read helps.
  if (position.epoch !== epoch) return { kind: "foreign" };
  if (seq <= position.seq) return { kind: "repeat" };
  if (seq > position.seq + 1) return { kind: "gap" };
  return { kind: "apply", position: { epoch, seq } };
}
