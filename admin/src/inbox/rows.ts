import type { ServerEvent } from "../live/events";
import type { Feedback } from "../session/types";
import type { Changes } from "../triage/changes";
import { matches } from "./highlight";
import { order, type FeedbackQuery } from "./query";

/** The inbox's list. `waiting` holds arrivals that must not be shown yet because they would move rows being read. */
export interface Rows {
  items: readonly Feedback[];
  waiting: readonly Feedback[];
  cursor: string | null;
  /** How many rows before the first one are not kept: whoever reads ten thousand looks at some of them at a time. */
  dropped: number;
  total: number | null;
  atLeast: boolean;
}

export const noRows: Rows = { items: [], waiting: [], cursor: null, dropped: 0, total: null, atLeast: false };

type Arrival = Extract<ServerEvent, { type: "FeedbackReceived" }>["data"];

/** The event tells less than the whole item; the rest is known by what a new item must be. Its `rev` is 0: not read yet. */
export function fromArrival(event: Arrival): Feedback {
  const { visitor, ...known } = event;
  return {
    ...known,
    visitor,
    name: visitor.name,
    email: visitor.email,
    context: null,
    status: "new",
    assignee_id: null,
    tags: [],
    priority: "normal",
    rev: 0,
    quarantine_reasons: [],
    attachments: [],
    unread: true,
    updated_at: event.created_at,
  };
}

/**
 * Whether an item belongs to what is listed. A search is the server's to judge, which sees more of an item than is known
 * here: this can miss one, and the next read brings it.
 */
export function belongs(item: Feedback, query: FeedbackQuery, me: string): boolean {
  const one = <T>(values: readonly T[], value: T | null): boolean => values.length === 0 || (value !== null && values.includes(value));
  const assignee = query.assignee === "me" ? me : query.assignee === "none" ? null : query.assignee;
  const at = Date.parse(item.created_at);
  return (
    item.quarantined === query.quarantined &&
    one(query.status, item.status) &&
    one(query.kind, item.kind) &&
    one(query.priority, item.priority) &&
    one(query.rating, item.rating) &&
    (!query.tag || item.tags.includes(query.tag)) &&
    (!query.assignee || item.assignee_id === assignee) &&
    (!query.page_url || item.page_url === query.page_url) &&
    (!query.from || at >= Date.parse(query.from)) &&
    (!query.to || at < Date.parse(query.to)) &&
    (!query.unread || item.unread) &&
    (!query.q || matches(`${item.message} ${item.email ?? ""} ${item.name ?? ""} ${item.page_url}`, query.q))
  );
}

/** Whether what arrives goes on top. In any other order only the server can tell the place. */
export const newestFirst = (query: FeedbackQuery): boolean => order(query) === "-created_at";

/** Whether a change of an item can bring it into the list. */
export const isNarrowed = ({ status, priority, tag, assignee }: FeedbackQuery): boolean =>
  status.length > 0 || priority.length > 0 || tag !== "" || assignee !== "";

/** Whether an item has its place among the loaded rows, and not behind their end. */
export function within({ items, cursor }: Rows, item: Feedback): boolean {
  const last = items.at(-1);
  return !cursor || !last || moment(last) <= moment(item);
}

/** Whether an item is in the list, shown or waiting. */
export function holds({ items, waiting }: Rows, id: string): boolean {
  const its = (item: Feedback): boolean => item.id === id;
  return items.some(its) || waiting.some(its);
}

/** Adds one arrival, on top or held back. An item that is already there keeps its fuller form. */
export function arrive(rows: Rows, item: Feedback, hold: boolean): Rows {
  if (holds(rows, item.id)) return rows;
  // Below a bound that was counted to, one more is still "at least" as many.
  const total = rows.total === null ? null : rows.total + (rows.atLeast ? 0 : 1);
  if (hold) return { ...rows, total, waiting: [item, ...rows.waiting] };
  return { ...rows, total, items: [item, ...rows.waiting, ...rows.items], waiting: [] };
}

export function release(rows: Rows): Rows {
  return rows.waiting.length === 0 ? rows : { ...rows, items: [...rows.waiting, ...rows.items], waiting: [] };
}

/** Adds an older page; a row that moved between the reads is not shown twice. */
export function append(rows: Rows, page: readonly Feedback[], cursor: string | null): Rows {
  const known = new Set([...rows.items, ...rows.waiting].map((item) => item.id));
  return { ...rows, items: [...rows.items, ...page.filter((item) => !known.has(item.id))], cursor };
}

/** Lets go of the first rows. */
export const dropFirst = (rows: Rows, n: number): Rows => ({ ...rows, items: rows.items.slice(n), dropped: rows.dropped + n });

/** Lets go of the last rows, which follow on a cursor. */
export const dropLast = (rows: Rows, n: number, cursor: string | null): Rows => ({ ...rows, items: rows.items.slice(0, Math.max(0, rows.items.length - n)), cursor });

/** Brings rows back that were let go of: `n` of them, of which some may be gone or be somewhere else by now. */
export function putBack(rows: Rows, page: readonly Feedback[], n: number): Rows {
  const known = new Set(rows.items.map((item) => item.id));
  return { ...rows, items: [...page.filter((item) => !known.has(item.id)), ...rows.items], dropped: Math.max(0, rows.dropped - n) };
}

/** Takes the newest page of a second read: what is new arrives, what is known is brought up to date in place. */
export function reconcile(rows: Rows, page: readonly Feedback[], hold: boolean): Rows {
  // Oldest first, so that the newest ends up on top.
  let next = rows;
  for (const item of [...page].reverse()) {
    next = holds(next, item.id) ? replace(next, item) : arrive(next, item, hold);
  }
  return next;
}

/** Puts the newer form of an item in its place; an older `rev` (a late answer) changes nothing. */
export function replace(rows: Rows, item: Feedback): Rows {
  return edit(rows, item.id, (old) => (item.rev < old.rev ? old : item));
}

/** Applies a live change. A change that was already seen (`rev` not newer) is dropped. */
export function change(rows: Rows, id: string, rev: number, changes: Partial<Feedback>): Rows {
  return edit(rows, id, (old) => (rev <= old.rev ? old : { ...old, ...changes, rev }));
}

/** Marks an item as read or not. That is this person's own, and no change of the item. */
export function mark(rows: Rows, id: string, unread: boolean): Rows {
  return edit(rows, id, (old) => (old.unread === unread ? old : { ...old, unread }));
}

function edit(rows: Rows, id: string, form: (old: Feedback) => Feedback): Rows {
  const apply = (list: readonly Feedback[]): readonly Feedback[] => {
    const at = list.findIndex((item) => item.id === id);
    const old = list[at];
    if (!old) return list;
    const next = form(old);
    return next === old ? list : list.with(at, next);
  };
  const items = apply(rows.items);
  const waiting = apply(rows.waiting);
  return items === rows.items && waiting === rows.waiting ? rows : { ...rows, items, waiting };
}

export function remove(rows: Rows, id: string): Rows {
  if (!holds(rows, id)) return rows;
  // From both: an item can be erased before anybody has let it in.
  const without = (list: readonly Feedback[]): readonly Feedback[] => list.filter((item) => item.id !== id);
  const total = rows.total === null || rows.atLeast ? rows.total : Math.max(0, rows.total - 1);
  return { ...rows, total, items: without(rows.items), waiting: without(rows.waiting) };
}

/**
 * A moment in the server's spelling, as a text that sorts as it does. Trailing zeros are left out there, so "00Z", "00.5Z"
 * and "00.51Z" follow each other, which the "Z" would turn around; a number would lose what is below a millisecond.
 */
export const moment = ({ created_at }: { created_at: string }): string => created_at.replace("Z", "");

/** Puts an item back where it was, as a rollback does: rows are newest first, so its time gives the place. */
export function restore(rows: Rows, item: Feedback): Rows {
  if (holds(rows, item.id)) return edit(rows, item.id, () => item);
  const at = rows.items.findIndex((other) => moment(other) < moment(item));
  const items = at < 0 ? [...rows.items, item] : rows.items.toSpliced(at, 0, item);
  return { ...rows, items, total: rows.total === null || rows.atLeast ? rows.total : rows.total + 1 };
}

/** An answer, given by hand before the server has; `rev` stays, so that the answer itself still wins. */
export function assume(rows: Rows, id: string, changes: Changes): Rows {
  return edit(rows, id, (old) => ({ ...old, ...changes }));
}
