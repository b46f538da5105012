import type { BulkChanges, Feedback } from "../session/types";

/** What staff decide about an item. */
export type Changes = Partial<Pick<Feedback, "status" | "assignee_id" | "tags" | "priority" | "quarantined">>;
export type AnyField = keyof Changes;
/** What is picked from a list; whether an item is held back is not. */
export type Field = Exclude<AnyField, "quarantined">;

const fields: readonly AnyField[] = ["status", "assignee_id", "tags", "priority", "quarantined"];

/** Tags are a set: the server puts them in an order of its own. */
function same(field: AnyField, a: Changes, b: Changes): boolean {
  if (field !== "tags") return a[field] === b[field];
  const [one, other] = [new Set(a.tags), new Set(b.tags)];
  return one.size === other.size && [...one].every((tag) => other.has(tag));
}

const given = (changes: Changes): AnyField[] => fields.filter((field) => changes[field] !== undefined);

function pick(from: Changes, which: readonly AnyField[]): Changes {
  return Object.fromEntries(which.map((field) => [field, from[field]])) as Changes;
}

/** What of the changes an item does not have yet. */
export const missing = (item: Feedback, changes: Changes): Changes => pick(changes, given(changes).filter((field) => !same(field, item, changes)));

export const isNothing = (changes: Changes): boolean => given(changes).length === 0;

/** The way back from `changes`. */
export const before = (item: Feedback, changes: Changes): Changes => pick(item, given(missing(item, changes)));

/** Whether somebody else has changed one of the same fields, and to something else. */
export const contested = (base: Feedback, mine: Changes, theirs: Feedback): boolean =>
  given(mine).some((field) => !same(field, base, theirs) && !same(field, mine, theirs));

/** What a change for many makes of one. */
export function forOne(item: Feedback, { add_tags, remove_tags, ...changes }: BulkChanges): Changes {
  if (!add_tags && !remove_tags) return changes;
  const tags = [...new Set([...(changes.tags ?? item.tags), ...(add_tags ?? [])])].filter((tag) => !remove_tags?.includes(tag));
  return { ...changes, tags: tags.sort() };
}
