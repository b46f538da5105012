import { signal, type ReadonlySignal } from "@preact/signals";
import type { Api } from "../session/api";
import { Problem } from "../session/problem";
import { isProblem } from "../session/session";
import type { Feedback, Status } from "../session/types";
import type { PaneState } from "./panes";
import * as list from "./rows";

/** Two people changed one item: what this one wanted, and what the item is now. */
export interface Conflict {
  mine: Status;
  theirs: Feedback;
}

/** What a person does to items. Changes are shown before they are asked for, and undone where they are refused. */
export interface Changing {
  conflict: ReadonlySignal<Conflict | null>;
  /** Resolves to false where it was undone; a conflict is then in `conflict`. Never rejects. */
  setStatus(item: Feedback, status: Status): Promise<boolean>;
  /** `mine` writes over the other's change, this time knowingly. */
  settle(choice: "mine" | "theirs"): Promise<void>;
  /** Not optimistic: nothing could be brought back. False where it failed, which was told by then. */
  erase(id: string): Promise<boolean>;
}

export interface ChangingDeps {
  api: Pick<Api, "feedback" | "setStatus" | "erase">;
  panes: PaneState;
  /** Whether an item in this form still belongs to the view. */
  stays(item: Feedback): boolean;
  /** Tells what happened in the words of the page. */
  failed(what: "status" | "erase", error: unknown): void;
}

export function createChanging({ api, panes, stays, failed }: ChangingDeps): Changing {
  const conflict = signal<Conflict | null>(null);

  /** Changes first and asks then. Where the new status is outside the view, the row leaves at once. */
  async function write(before: Feedback, status: Status): Promise<boolean> {
    panes.put((old) => ({ ...old, status }), before.id, (old) =>
      stays({ ...before, status }) ? list.assume(old, before.id, status) : list.remove(old, before.id),
    );
    try {
      const answer = await api.setStatus(before.id, status, before.rev);
      // A live change of somebody else may have come first and be the newer one.
      panes.put((old) => (answer.rev < old.rev ? old : answer), before.id, (old) => list.replace(old, answer));
      return true;
    } catch (error) {
      undo(before, error, status);
      return false;
    }
  }

  /** Puts back what is true now: the server's side of a conflict, a newer live change, or the item as it was. */
  function undo(before: Feedback, error: unknown, mine: Status): void {
    const theirs = isProblem(error, "conflict") ? (error.current as Feedback | undefined) : undefined;
    // A change that came in meanwhile is newer than what we started from and stays.
    const back = theirs ?? panes.known(before.id).find((item) => item.rev > before.rev) ?? before;
    panes.put(() => back, back.id, (old) => list.restore(old, back));
    if (theirs) conflict.value = { mine, theirs };
    else if (error instanceof Problem && error.status === 404) panes.leave(before.id);
    else failed("status", error);
  }

  /** An arrival carries no `rev`; the item is read before it is changed. */
  const whole = (id: string): Promise<Feedback | void> => api.feedback(id).catch((error: unknown) => failed("status", error));

  return {
    conflict,
    async setStatus(item, status) {
      const before = item.rev > 0 ? item : await whole(item.id);
      if (!before) return false;
      return before.status === status ? true : write(before, status);
    },
    async settle(choice) {
      const open = conflict.peek();
      conflict.value = null;
      if (open && choice === "mine") await write(open.theirs, open.mine);
    },
    async erase(id) {
      try {
        await api.erase(id);
      } catch (error) {
        // Gone already is what was asked for, whoever did it.
        if (!(error instanceof Problem && error.status === 404)) {
          failed("erase", error);
          return false;
        }
      }
      panes.leave(id);
      return true;
    },
  };
}
