import { signal, type ReadonlySignal } from "@preact/signals";

/** One thing that can be taken back. */
export interface Undoable {
  text: string;
  run(): void;
}

/** The last thing that was done and can be taken back. A younger one takes its place; taking back is not undoable itself. */
export interface UndoSlot {
  offered: ReadonlySignal<Undoable | null>;
  offer(what: Undoable): void;
  undo(): void;
  dismiss(): void;
}

export function createUndo(): UndoSlot {
  const offered = signal<Undoable | null>(null);
  return {
    offered,
    offer: (what) => void (offered.value = what),
    undo() {
      const what = offered.peek();
      offered.value = null;
      what?.run();
    },
    dismiss: () => void (offered.value = null),
  };
}
