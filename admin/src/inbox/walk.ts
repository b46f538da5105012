import { useSignal, type Signal } from "@preact/signals";
import { currentHref, inboxHref, navigate } from "../router";
import type { FeedbackQuery } from "./query";
import type { Feedback } from "../session/types";
import type { Changes } from "../triage/changes";
import type { Inbox } from "./inbox";
import { writeQuery } from "./query";

/**
 * Moving through a view. The cursor is where the keyboard is, the selection is what is open: they part when somebody
 * walks the list without opening, and meet again as soon as an item is opened. The selection is in the URL only.
 */
export interface Walk {
  /** An id and no index: it stays on its item while others arrive above. */
  cursorId: Signal<string | null>;
  /** Raised by one with every keyboard move: the row under the cursor then takes the focus. */
  moves: Signal<number>;
  /** Opens an item of this view, or none. `replace` leaves no step to go back to. */
  go(id: string | null, replace?: boolean): void;
  /** Shows another view, with nothing open: an item need not belong to it. */
  setQuery(query: FeedbackQuery): void;
  step(by: 1 | -1): void;
  back(): void;
  /** `text` says what is done. Resolves as the change does. */
  change(item: Feedback, changes: Changes, text: string): Promise<boolean>;
}

export interface WalkProps {
  inbox: Inbox;
  projectId: string;
  feedbackId: string | null;
  query: FeedbackQuery;
}

export function useWalk({ inbox, projectId, feedbackId, query }: WalkProps, announce: (text: string) => void): Walk {
  const cursorId = useSignal<string | null>(feedbackId);
  const moves = useSignal(0);
  const go = (id: string | null, replace = false): void => navigate(inboxHref(projectId, id, writeQuery(query)), { replace });

  return {
    cursorId,
    moves,
    go,
    // Replaced, or every letter of a search would be a step on the way back.
    setQuery: (next) => navigate(inboxHref(projectId, null, writeQuery(next)), { replace: true }),
    step(by) {
      const { items } = inbox.rows.peek();
      const at = items.findIndex((item) => item.id === (cursorId.peek() ?? feedbackId));
      const next = items[at < 0 ? 0 : Math.max(0, Math.min(items.length - 1, at + by))];
      if (!next) return;
      cursorId.value = next.id;
      moves.value++;
      // With an item open, reading goes on with the next one; the way back stays one step.
      if (feedbackId) go(next.id, true);
    },
    back() {
      go(null);
      moves.value++;
    },
    change(item, changes, text) {
      const { items } = inbox.rows.peek();
      const at = items.findIndex(({ id }) => id === item.id);
      const following = items[at + 1] ?? items[at - 1];
      const done = inbox.change(item, changes);
      announce(text);
      // Where the change takes the item out of the view, the next one takes its place, as in a stack of paper.
      const left = at >= 0 && !inbox.stays({ ...item, ...changes });
      if (left && following) cursorId.value = following.id;
      if (!left || feedbackId !== item.id) return done;
      go(following?.id ?? null, true);
      const here = currentHref.peek();
      // Back to what was undone, but not for who has gone on meanwhile.
      void done.then((kept) => {
        if (!kept && currentHref.peek() === here) go(item.id, true);
      });
      return done;
    },
  };
}
