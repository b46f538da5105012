import { signal, type ReadonlySignal } from "@preact/signals";

/** As many as can be changed at once: a slip of the hand must stay small enough to be undone. */
export const maxSelected = 1_000;

/** Which items are meant together. They need not be on screen: rows come and go with the scroll. */
export interface Selection {
  ids: ReadonlySignal<ReadonlySet<string>>;
  toggle(id: string): void;
  /** From the item that was toggled last to this one, in the order of the list. */
  extend(order: readonly string[], id: string): void;
  add(ids: readonly string[]): void;
  /** It is not there any more. */
  drop(ids: readonly string[]): void;
  clear(): void;
}

const none: ReadonlySet<string> = new Set();

export function createSelection(): Selection {
  const ids = signal(none);
  let anchor: string | null = null;

  const set = (next: Iterable<string>): void => {
    const list = [...new Set(next)].slice(0, maxSelected);
    ids.value = list.length > 0 ? new Set(list) : none;
  };
  return {
    ids,
    toggle(id) {
      anchor = id;
      const next = new Set(ids.peek());
      if (!next.delete(id)) next.add(id);
      set(next);
    },
    extend(order, id) {
      const to = order.indexOf(id);
      const from = anchor ? order.indexOf(anchor) : -1;
      if (to < 0) return;
      // Without a beginning it is the one alone, as in every list.
      const range = from < 0 ? [id] : order.slice(Math.min(from, to), Math.max(from, to) + 1);
      anchor ??= id;
      set([...ids.peek(), ...range]);
    },
    add: (more) => set([...ids.peek(), ...more]),
    drop(gone) {
      if (!gone.some((id) => ids.peek().has(id))) return;
      set([...ids.peek()].filter((id) => !gone.includes(id)));
    },
    clear() {
      anchor = null;
      ids.value = none;
    },
  };
}
