import type { ConversationEvent } from "./live/events";
import type { Feedback, Message } from "./session/types";

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
    unread: false,
    attachments: [],
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

/** A message for tests; `n` makes its id and its place in time. */
export function message(n: number, over: Partial<Message> = {}): Message {
  const at = new Date(Date.UTC(2026, 0, 1) + n * 60_000).toISOString();
  return {
    id: `0195b000-0000-7000-8000-${String(n).padStart(12, "0")}`,
    feedback_id: "f1",
    author: { kind: "member", user_id: "other", name: "Ben" },
    visibility: "public",
    body: `text ${n}`,
    rev: 1,
    created_at: at,
    updated_at: at,
    ...over,
  };
}

/** What the log tells of a message. */
export function told(type: ConversationEvent["type"], { id, feedback_id, author, body, rev, updated_at }: Message): ConversationEvent {
  return { type, epoch: "e", seq: 1, data: { project_id: "p1", feedback_id, message_id: id, author, body: body || undefined, rev, at: updated_at } } as ConversationEvent;
}
