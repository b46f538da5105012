import type { ConversationEvent } from "../live/events";
import type { Message, MessagePage } from "../session/types";
import { moment } from "./rows";

/** What is known of one item's conversation. Pages and live events overtake each other; `rev` and `gone` settle it. */
export interface Thread {
  /** In the order of time. A note whose text is still to come has an empty body and is not shown. */
  items: readonly Message[];
  /** Deleted: a page that was read before must not bring them back. */
  gone: ReadonlySet<string>;
  /** Edits of notes that are not read yet, by their id: the page that brings the note may have been read before. */
  ahead: ReadonlyMap<string, Edit>;
  /** Leads to what is older, null where there is nothing. */
  cursor: string | null;
}

type Edit = Pick<Message, "body" | "rev" | "updated_at">;

export const noThread: Thread = { items: [], gone: new Set(), ahead: new Map(), cursor: null };

const before = (a: Message, b: Message): number => {
  const [left, right] = [moment(a), moment(b)];
  return left < right || (left === right && a.id < b.id) ? -1 : 1;
};

/** Adds messages, each once. Of two forms of one the higher `rev` is kept; an equal one completes a text that was missing. */
export function withMessages(thread: Thread, messages: readonly Message[]): Thread {
  const byId = new Map(thread.items.map((message) => [message.id, message]));
  for (const message of messages) {
    if (thread.gone.has(message.id)) continue;
    const ahead = thread.ahead.get(message.id);
    const form = ahead && ahead.rev > message.rev ? { ...message, ...ahead } : message;
    const old = byId.get(message.id);
    if (!old || form.rev > old.rev || (form.rev === old.rev && !old.body)) byId.set(message.id, form);
  }
  return { ...thread, items: [...byId.values()].sort(before) };
}

/** Takes a page in: the newest one (`older` false) or the one that follows the cursor. */
export function withPage(thread: Thread, page: MessagePage, older: boolean): Thread {
  // A second read of the newest page knows less of the past than was loaded since, unless it overlaps nothing.
  const known = new Set(thread.items.map(({ id }) => id));
  const joins = older || thread.items.length === 0 || page.items.some(({ id }) => known.has(id));
  if (!joins && page.next_cursor) return withMessages({ ...thread, items: [], cursor: page.next_cursor }, page.items);
  const first = thread.items.length === 0;
  return { ...withMessages(thread, page.items), cursor: older || first ? (page.next_cursor ?? null) : thread.cursor };
}

/**
 * The newest page says what there is in its reach: what was `known` within it before the page was asked for, and is not
 * named by it, was deleted meanwhile.
 */
export function reread(thread: Thread, page: MessagePage, known: ReadonlySet<string>): Thread {
  const named = new Set(page.items.map(({ id }) => id));
  const oldest = page.items.at(-1);
  const reach = page.next_cursor && oldest ? moment(oldest) : "";
  const left = thread.items.filter((message) => named.has(message.id) || !known.has(message.id) || moment(message) < reach);
  return withPage({ ...thread, items: left }, page, false);
}

/** Takes in one event of the log. */
export function heard(thread: Thread, event: ConversationEvent): Thread {
  const { message_id: id, feedback_id, author, rev, at } = event.data;
  switch (event.type) {
    case "MessagePosted":
    case "NoteAdded": {
      const visibility = event.type === "NoteAdded" ? "internal" : "public";
      return withMessages(thread, [{ id, feedback_id, author, visibility, body: event.data.body ?? "", rev, created_at: at, updated_at: at }]);
    }
    case "NoteEdited": {
      // Without a text a later event tells the rest.
      const edit = event.data.body === undefined ? null : { body: event.data.body, rev, updated_at: at };
      return edit ? edited(thread, id, edit) : thread;
    }
    case "NoteDeleted":
      return without(thread, id);
  }
}

function edited(thread: Thread, id: string, edit: Edit): Thread {
  const at = thread.items.findIndex((message) => message.id === id);
  const old = thread.items[at];
  if (!old) return (thread.ahead.get(id)?.rev ?? 0) >= edit.rev ? thread : { ...thread, ahead: new Map(thread.ahead).set(id, edit) };
  return edit.rev <= old.rev && old.body ? thread : { ...thread, items: thread.items.with(at, { ...old, ...edit }) };
}

export function without(thread: Thread, id: string): Thread {
  return { ...thread, gone: new Set(thread.gone).add(id), items: thread.items.filter((message) => message.id !== id) };
}

/** When the last of it was written, "" where there is nothing yet. Sorts as the server's clock does. */
export function endOf(thread: Thread): string {
  const last = thread.items.at(-1);
  return last ? moment(last) : "";
}

/** Public messages of others that came after `mark`: what somebody who began to write then has not read. */
export function newerThan(thread: Thread, mark: string, me: string): readonly Message[] {
  return thread.items.filter(
    (message) => message.visibility === "public" && message.author.user_id !== me && moment(message) > mark,
  );
}
