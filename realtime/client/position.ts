/** How far a client has read a numbered log. */
export interface Position {
  epoch: string;
  seq: number;
}

/**
 * What a numbered event means for a reader at `position`. The server promises consecutive numbers and delivery at least
 * once: a repeat is dropped, a jump means something was lost on the way and the log must be read again from `position`.
 * A visitor's part of the log is sparse; for such a reader a gap is the next event like any other.
 */
export type Step = { kind: "apply" | "gap"; position: Position } | { kind: "repeat" } | { kind: "foreign" };

export function step(position: Position | null, epoch: string, seq: number): Step {
  const next = { epoch, seq };
  if (!position) return { kind: "apply", position: next };
  // Another epoch is another history: numbers cannot be compared, only a fresh read helps.
  if (position.epoch !== epoch) return { kind: "foreign" };
  if (seq <= position.seq) return { kind: "repeat" };
  return { kind: seq > position.seq + 1 ? "gap" : "apply", position: next };
}
