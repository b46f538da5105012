import { batch, computed, signal, type ReadonlySignal, type Signal } from "@preact/signals";
import type { Feedback } from "../session/types";
import * as list from "./rows";

/** The state of the right pane. `gone`: erased, another project's, or never there; the server does not say which. */
export type Detail = { name: "none" } | { name: "loading"; id: string } | { name: "shown" } | { name: "gone" } | { name: "failed"; id: string };

/**
 * What list and detail pane show. An item may be in both, so every change of one goes through here; whatever comes from
 * the network is held against `rev` before, because answers and live events overtake each other.
 */
export interface PaneState {
  rows: Signal<list.Rows>;
  detail: Signal<Detail>;
  /** The item as it was read whole, null until then. */
  opened: Signal<Feedback | null>;
  /** What the URL says is open, whether or not it can be read. */
  openId: Signal<string | null>;
  /** What the right pane draws: the row's form at once, and the whole one as soon as it is there. */
  item: ReadonlySignal<Feedback | null>;
  /** The newest form that is on screen; `opened` may be newer than its row, and need not have one. */
  known(id: string): readonly Feedback[];
  /** Gives an item another form: `form` for the pane, `edit` for the list, which may drop or move the row. */
  put(form: (old: Feedback) => Feedback, id: string, edit: (rows: list.Rows) => list.Rows): void;
  /** Takes an item off the screen, in both panes. */
  leave(id: string): void;
}

export function createPaneState(): PaneState {
  const rows = signal(list.noRows);
  const detail = signal<Detail>({ name: "none" });
  const opened = signal<Feedback | null>(null);
  const openId = signal<string | null>(null);
  return {
    rows,
    detail,
    opened,
    openId,
    item: computed(() => {
      if (opened.value) return opened.value;
      const id = openId.value;
      return (id && detail.value.name === "loading" && rows.value.items.find((item) => item.id === id)) || null;
    }),
    known: (id) => [...rows.peek().items, opened.peek()].filter((item) => item !== null && item.id === id) as Feedback[],
    put(form, id, edit) {
      batch(() => {
        rows.value = edit(rows.peek());
        const shown = opened.peek();
        if (shown?.id === id) opened.value = form(shown);
      });
    },
    leave(id) {
      batch(() => {
        rows.value = list.remove(rows.peek(), id);
        if (openId.peek() !== id) return;
        opened.value = null;
        detail.value = { name: "gone" };
      });
    },
  };
}
