import { signal, type ReadonlySignal } from "@preact/signals";
import type { Api } from "../session/api";
import { Problem } from "../session/problem";
import { isProblem } from "../session/session";
import type { Feedback } from "../session/types";
import { contested, isNothing, missing, type Changes } from "../triage/changes";
import type { PaneState } from "./panes";
import * as list from "./rows";

/** Two people changed the same of one item: what this one wanted, and what the item is now. */
export interface Conflict {
  mine: Changes;
  theirs: Feedback;
}

/** What a person does to items. Changes are shown before they are asked for, and undone where they are refused. */
export interface Changing {
  conflict: ReadonlySignal<Conflict | null>;
  /** Resolves to false where it was undone; a conflict is then in `conflict`. Never rejects. */
  change(item: Feedback, changes: Changes): Promise<boolean>;
  /** `mine` writes over the other's change, this time knowingly. */
  settle(choice: "mine" | "theirs"): Promise<void>;
  /** Not optimistic: nothing could be brought back. False where it failed, which was told by then. */
  erase(id: string): Promise<boolean>;
}

export interface ChangingDeps {
  api: Pick<Api, "feedback" | "change" | "erase">;
  panes: PaneState;
  /** Whether an item in this form still belongs to the view. */
  stays(item: Feedback): boolean;
  /** Tells what happened in the words of the page. */
  failed(what: "change" | "erase", error: unknown): void;
}

/** What a person wants of one item, from their first change of it until the server has the last one. */
interface Wish {
  wanted: Changes;
  /** The row was in the list, so there it belongs again when it fits again. */
  listed: boolean;
  done: Promise<boolean>;
}

/** How often a change is put on top of somebody else's before it counts as a conflict. */
const merges = 5;

export function createChanging({ api, panes, stays, failed }: ChangingDeps): Changing {
  const conflict = signal<Conflict | null>(null);
  const wishes = new Map<string, Wish>();
  /** What was drawn may be older than what is known by now. */
  const newest = (item: Feedback): Feedback => panes.known(item.id).find(({ rev }) => rev > item.rev) ?? item;

  /** Shown before it is asked for. Where the new form is outside the view, the row leaves at once. */
  function assume(item: Feedback, { wanted, listed }: Wish): void {
    const form = { ...item, ...wanted };
    const row = (old: list.Rows): list.Rows => (listed ? list.restore(old, form) : list.assume(old, item.id, wanted));
    panes.put((old) => ({ ...old, ...wanted }), item.id, (old) => (stays(form) ? row(old) : list.remove(old, item.id)));
  }

  /** Takes an answer in, under what is wanted by now. A live change of somebody else may have come first and be the newer one. */
  function take(answer: Feedback, { wanted }: Wish): Feedback {
    const form = { ...answer, ...wanted };
    panes.put((old) => (answer.rev < old.rev ? old : form), answer.id, (old) => list.replace(old, form));
    return answer;
  }

  /** Asks for what is missing. What somebody else changed meanwhile is kept, as long as it is something else. */
  async function ask(base: Feedback, wish: Wish, asked: Changes): Promise<Feedback> {
    for (let tries = 0; ; tries++) {
      const changes = missing(base, asked);
      if (isNothing(changes)) return base;
      try {
        return take(await api.change(base.id, changes, base.rev), wish);
      } catch (error) {
        const theirs = present(error);
        if (!theirs || tries === merges || contested(base, changes, theirs)) throw error;
        base = take(theirs, wish);
      }
    }
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
      for (let asked: Changes | null = null; asked !== wish.wanted; ) base = await ask(base, wish, (asked = wish.wanted));
      return true;
    } catch (error) {
      return undo(base, error, wish);
    } finally {
      wishes.delete(item.id);
    }
  }

  /** Puts back what is true now: the server's side of a conflict, a newer live change, or the item as it was. */
  function undo(base: Feedback, error: unknown, { wanted, listed }: Wish): boolean {
    const theirs = present(error);
    // A change that came in meanwhile is newer than what we started from and stays.
    const back = theirs ?? newest(base);
    panes.put(() => back, back.id, (old) => (listed && stays(back) ? list.restore : list.replace)(old, back));
    const mine = missing(back, wanted);
    // Both wanted the same.
    if (theirs && isNothing(mine)) return true;
    if (theirs) conflict.value = { mine, theirs };
    else if (error instanceof Problem && error.status === 404) panes.leave(base.id);
    else failed("change", error);
    return false;
  }

  async function change(item: Feedback, changes: Changes): Promise<boolean> {
    const base = newest(item);
    const underWay = wishes.get(item.id);
    if (!underWay && isNothing(missing(base, changes))) return true;
    const wish = underWay ?? { wanted: {}, listed: list.holds(panes.rows.peek(), item.id), done: Promise.resolve(true) };
    wish.wanted = { ...wish.wanted, ...changes };
    assume(base, wish);
    if (underWay) return wish.done;
    wishes.set(item.id, wish);
    return (wish.done = fulfil(base, wish));
  }

  return {
    conflict,
    change,
    async settle(choice) {
      const open = conflict.peek();
      conflict.value = null;
      if (open && choice === "mine") await change(open.theirs, open.mine);
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

/** The item as it is by now, where that is why a change was refused. */
function present(error: unknown): Feedback | undefined {
  return isProblem(error, "conflict") ? (error.current as Feedback | undefined) : undefined;
}
