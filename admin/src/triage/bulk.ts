import { batch, signal, type ReadonlySignal } from "@preact/signals";
import type { Api } from "../session/api";
import type { BulkChanges, BulkItem, BulkResult, Feedback } from "../session/types";
import type { PaneState } from "../inbox/panes";
import * as list from "../inbox/rows";
import { forOne } from "./changes";

/** How many items one call takes. */
const chunk = 200;

/** How a change of several items went. */
export interface Outcome {
  changed: number;
  /** Somebody else was there first, or the item is gone. Those are as they were. */
  refused: number;
  /** The network or the server failed on the way; what was done until then is in `changed`. */
  failed: boolean;
  /** The way back, for what nobody has touched since; null where nothing changed. */
  undo: (() => Promise<Outcome>) | null;
}

export interface Bulk {
  /** Never rejects. */
  change(ids: readonly string[], changes: BulkChanges): Promise<Outcome>;
  progress: ReadonlySignal<{ done: number; total: number } | null>;
}

export interface BulkDeps {
  api: Pick<Api, "changeSeveral">;
  projectId: string;
  panes: PaneState;
  stays(item: Feedback): boolean;
}

/** Changes several items, shown before they are asked for. Each stands alone, and what is refused is put back. */
export function createBulk({ api, projectId, panes, stays }: BulkDeps): Bulk {
  const progress = signal<{ done: number; total: number } | null>(null);

  const show = (form: Feedback, listed: boolean): void =>
    panes.put(() => form, form.id, (rows) => {
      if (!stays(form)) return list.remove(rows, form.id);
      return listed ? list.restore(rows, form) : list.replace(rows, form);
    });

  /** What of these is known, as it is now: for a change that is refused. */
  function assume(items: readonly BulkItem[]): Map<string, Feedback> {
    const old = new Map<string, Feedback>();
    batch(() => {
      for (const { id, changes } of items) {
        const item = panes.known(id)[0];
        if (!item) continue;
        old.set(id, item);
        show({ ...item, ...forOne(item, changes) }, false);
      }
    });
    return old;
  }

  function settle(result: BulkResult, old: Feedback | undefined, listed: boolean): void {
    const now = panes.known(result.id)[0];
    const answer = result.item && { ...result.item, unread: now?.unread ?? old?.unread ?? result.item.unread };
    // A live change of somebody else may have come first and be the newer one.
    if (answer && now && now.rev > answer.rev) return;
    if (answer) show(answer, listed);
    else if (result.code === "not_found") panes.leave(result.id);
    else if (old) putBack(old);
  }

  /** As it was, unless the log has told meanwhile that it is another: then the change was made after all. */
  function putBack(old: Feedback): void {
    const now = panes.known(old.id)[0];
    if (!now || now.rev <= old.rev) show(old, true);
  }

  async function run(items: readonly BulkItem[], listed: boolean): Promise<Outcome> {
    const outcome: Outcome = { changed: 0, refused: 0, failed: false, undo: null };
    const back: BulkItem[] = [];
    const old = assume(items);
    for (let at = 0; at < items.length && !outcome.failed; at += chunk) {
      if (items.length > chunk) progress.value = { done: at, total: items.length };
      const part = items.slice(at, at + chunk);
      try {
        const results = await api.changeSeveral(projectId, part);
        batch(() => results.forEach((result) => settle(result, old.get(result.id), listed || result.outcome === "refused")));
        for (const { id, outcome: how, item, before } of results) {
          if (how === "refused") outcome.refused++;
          if (how !== "changed" || !item || !before) continue;
          outcome.changed++;
          back.push({ id, rev: item.rev, changes: before });
        }
      } catch {
        outcome.failed = true;
        batch(() => items.slice(at).forEach(({ id }) => {
          const before = old.get(id);
          if (before) putBack(before);
        }));
      }
    }
    progress.value = null;
    if (back.length > 0) outcome.undo = () => run(back, true);
    return outcome;
  }

  return { progress, change: (ids, changes) => run(ids.map((id) => ({ id, changes })), false) };
}
