import type { Feedback } from "./session/types";

/** A piece of feedback for tests; `n` makes its id and its place in time (higher is newer). */
export function feedback(n: number, over: Partial<Feedback> = {}): Feedback {
  const id = `0195a000-0000-7000-8000-${String(n).padStart(12, "0")}`;
  const at = new Date(Date.UTC(2026, 0, 1) + n * 60_000).toISOString();
  return {
    id,
    project_id: "p1",
    message: `message ${n}`,
    page_url: "https://shop.example/cart",
    kind: null,
    rating: null,
    email: null,
    name: null,
    context: null,
    status: "new",
    assignee_id: null,
    tags: [],
    priority: "normal",
    rev: 1,
    quarantined: false,
    quarantine_reasons: [],
    created_at: at,
    updated_at: at,
    visitor: { session_id: `s${n}`, name: null, email: null },
    ...over,
  };
}

/** Lets everything that is already settled run. */
export const settled = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 0));
