import type { Visibility } from "../session/types";

/** An answer that is being written. */
export interface Draft {
  body: string;
  visibility: Visibility;
  /** What of the conversation its writer had seen when they began, as `endOf` spells it; null: not known yet. */
  mark: string | null;
}

/** A message that the server has not acknowledged. */
export interface Unsent {
  id: string;
  feedbackId: string;
  visibility: Visibility;
  body: string;
  /** By this device's clock. */
  at: string;
}

/** What a person wrote and nobody has yet, kept on this device until it is sent or emptied. Losing it is the worst this page can do. */
export interface Shelf {
  draft(feedbackId: string): Draft | null;
  /** Null, or a text of blanks, takes it away. */
  keepDraft(feedbackId: string, draft: Draft | null): void;
  unsent(feedbackId: string): readonly Unsent[];
  keepUnsent(message: Unsent): void;
  dropUnsent(message: Pick<Unsent, "feedbackId" | "id">): void;
  /** The item is erased; what was written about it goes with it. */
  forget(feedbackId: string): void;
}

type Store = Pick<Storage, "getItem" | "setItem" | "removeItem" | "key" | "length">;

/** What was touched last this long ago is taken for abandoned. */
const keptMs = 30 * 24 * 3_600_000;

/** One entry a draft and one a message, so that two windows never write over each other's. `user` keeps people apart. */
export function createShelf(store: () => Store, user: string, now: () => number): Shelf {
  const draftKey = (id: string): string => `earshot.draft.${user}.${id}`;
  const unsentKey = (id: string): string => `earshot.unsent.${user}.${id}.`;

  // Storage may be off or full. What is written is then kept for as long as the page is.
  function attempt<T>(work: (store: Store) => T, otherwise: T): T {
    try {
      return work(store());
    } catch {
      return otherwise;
    }
  }
  const put = (key: string, value: object | null): void =>
    attempt((kept) => (value ? kept.setItem(key, JSON.stringify({ ...value, kept: now() })) : kept.removeItem(key)), undefined);
  const keys = (prefix: string): string[] =>
    attempt((kept) => Array.from({ length: kept.length }, (_, at) => kept.key(at) ?? "").filter((key) => key.startsWith(prefix)), []);

  function get<T>(key: string): T | null {
    const entry = attempt((kept) => JSON.parse(kept.getItem(key) ?? "null") as (T & { kept: number }) | null, null);
    if (entry && now() - entry.kept <= keptMs) return entry;
    if (entry) put(key, null);
    return null;
  }

  return {
    draft(feedbackId) {
      const found = get<Draft>(draftKey(feedbackId));
      return found && { body: found.body, visibility: found.visibility, mark: found.mark };
    },
    keepDraft: (feedbackId, draft) => put(draftKey(feedbackId), draft?.body.trim() ? draft : null),
    unsent: (feedbackId) =>
      keys(unsentKey(feedbackId))
        .map((key) => get<Unsent>(key))
        .filter((entry) => entry !== null)
        .sort((a, b) => (a.at < b.at ? -1 : 1)),
    keepUnsent: (message) => put(unsentKey(message.feedbackId) + message.id, message),
    dropUnsent: ({ feedbackId, id }) => put(unsentKey(feedbackId) + id, null),
    forget: (feedbackId) => [draftKey(feedbackId), ...keys(unsentKey(feedbackId))].forEach((key) => put(key, null)),
  };
}
