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

/** What a person wants of one item, from their first change of it until the server has the last one. */
interface Wish {
  status: Status;
  /** The row was in the list, so there it belongs again when its status does. */
  listed: boolean;
  done: Promise<boolean>;
}

export function createChanging({ api, panes, stays, failed }: ChangingDeps): Changing {
  const conflict = signal<Conflict | null>(null);
  const wishes = new Map<string, Wish>();
  /** What was drawn may be older than what is known by now. */
  const newest = (item: Feedback): Feedback => panes.known(item.id).find(({ rev }) => rev > item.rev) ?? item;

  /** Shown before it is asked for. Where the new status is outside the view, the row leaves at once. */
  function assume(item: Feedback, { status, listed }: Wish): void {
    const form = { ...item, status };
    const row = (old: list.Rows): list.Rows => (listed ? list.restore(old, form) : list.assume(old, item.id, status));
    panes.put((old) => ({ ...old, status }), item.id, (old) => (stays(form) ? row(old) : list.remove(old, item.id)));
  }

  /** Takes an answer in, under what is wanted by now. A live change of somebody else may have come first and be the newer one. */
  function take(answer: Feedback, { status }: Wish): Feedback {
    const form = { ...answer, status };
    panes.put((old) => (answer.rev < old.rev ? old : form), answer.id, (old) => list.replace(old, form));
    return answer;
  }

  /**
   * One request at a time, each from what the last one was answered with: quick changes of one person are no conflict.
   * What was wanted in between is not asked for. False where it was undone.
   */
  async function fulfil(item: Feedback, wish: Wish): Promise<boolean> {
    let base = item;
    try {
      // An arrival carries no `rev`; the item is read before it is changed.
      if (base.rev === 0) base = take(await api.feedback(item.id), wish);
      let asked = base.status;
      while (asked !== wish.status) {
        asked = wish.status;
        base = take(await api.setStatus(item.id, asked, base.rev), wish);
      }
      return true;
    } catch (error) {
      return undo(base, error, wish);
    } finally {
      wishes.delete(item.id);
    }
  }

  /** Puts back what is true now: the server's side of a conflict, a newer live change, or the item as it was. */
  function undo(before: Feedback, error: unknown, { status: mine, listed }: Wish): boolean {
    const theirs = isProblem(error, "conflict") ? (error.current as Feedback | undefined) : undefined;
    // A change that came in meanwhile is newer than what we started from and stays.
    const back = theirs ?? newest(before);
    panes.put(() => back, back.id, (old) => (listed && stays(back) ? list.restore : list.replace)(old, back));
    // Both wanted the same.
    if (theirs?.status === mine) return true;
    if (theirs) conflict.value = { mine, theirs };
    else if (error instanceof Problem && error.status === 404) panes.leave(before.id);
    else failed("status", error);
    return false;
  }

  async function setStatus(item: Feedback, status: Status): Promise<boolean> {
    const base = newest(item);
    const underWay = wishes.get(item.id);
    if (!underWay && base.status === status) return true;
    const wish = underWay ?? { status, listed: list.holds(panes.rows.peek(), item.id), done: Promise.resolve(true) };
    wish.status = status;
    assume(base, wish);
    if (underWay) return wish.done;
    wishes.set(item.id, wish);
    return (wish.done = fulfil(base, wish));
  }

  return {
    conflict,
    setStatus,
    async settle(choice) {
      const open = conflict.peek();
      conflict.value = null;
      if (open && choice === "mine") await setStatus(open.theirs, open.mine);
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
