import type { components } from "../../../realtime/protocol/ts";

/** A member of the staff and what they have open in the project. Who has two items open is there twice. */
export type Member = components["schemas"]["Member"];

/** How many visitors are on a page. */
export type PagePresence = components["schemas"]["PagePresence"];

const same = (a: Member, b: Member): boolean =>
  a.user_id === b.user_id && a.name === b.name && (a.feedback_id ?? "") === (b.feedback_id ?? "") && a.typing === b.typing;

/** Applies a PresenceDiff. Who left goes first: one who turned to another item has both left and joined. */
export function withDiff(members: readonly Member[], diff: { joined: readonly Member[] | null; left: readonly Member[] | null }): readonly Member[] {
  const left = diff.left ?? [];
  const joined = diff.joined ?? [];
  const stayed = members.filter((member) => !left.some((gone) => same(gone, member)));
  // Told twice of one is still one: a state may have come between.
  return [...stayed, ...joined.filter((member) => !stayed.some((known) => same(known, member)))];
}

/** Somebody else who has an item open. */
export interface Viewer {
  userId: string;
  name: string;
  typing: boolean;
}

export type Viewers = ReadonlyMap<string, readonly Viewer[]>;

/**
 * Who else has which item open, by the item's id. One's own other windows are oneself. A list that did not change stays
 * the same object as in `before`: a row compares by identity, and most rows have not changed.
 */
export function viewersByItem(members: readonly Member[], me: string, before: Viewers = new Map()): Viewers {
  const found = new Map<string, Viewer[]>();
  for (const { user_id, name, feedback_id, typing } of members) {
    if (!feedback_id || user_id === me) continue;
    const list = found.get(feedback_id) ?? [];
    found.set(feedback_id, list);
    const known = list.find(({ userId }) => userId === user_id);
    // The same item in two windows: typing in one of them is typing.
    if (known) known.typing ||= typing;
    else list.push({ userId: user_id, name, typing });
  }
  const alike = (a: Viewer, b: Viewer | undefined): boolean => a.userId === b?.userId && a.name === b.name && a.typing === b.typing;
  return new Map(
    [...found].map(([id, list]) => {
      list.sort((a, b) => a.name.localeCompare(b.name) || (a.userId < b.userId ? -1 : 1));
      const old = before.get(id);
      return [id, old?.length === list.length && list.every((viewer, at) => alike(viewer, old[at])) ? old : list];
    }),
  );
}
