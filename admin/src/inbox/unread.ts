import { batch } from "@preact/signals";
import type { Api } from "../session/api";
import type { FeedbackPage } from "../session/types";
import type { PaneState } from "./panes";
import * as list from "./rows";

/** What this person has not read. The server keeps it, so it is the same on every machine of theirs. */
export interface Unread {
  /** Its visitor said something that nobody has looked at here. */
  mark(id: string): void;
  read(id: string): void;
  /** By hand: read becomes unread, and the other way round. */
  toggle(id: string): void;
  /** Several at once. False where the server was not told: then they are as they were. */
  several(projectId: string, ids: readonly string[], read: boolean): Promise<boolean>;
  /** Reads a page of the list as this person left it: what was marked since it was asked for is newer than its answer. */
  within(read: () => Promise<FeedbackPage>): Promise<FeedbackPage>;
}

/** What was marked here. `told`: the server has it, so a read that begins now does, too. */
interface Mark {
  unread: boolean;
  told: boolean;
}

export function createUnread(api: Pick<Api, "markRead" | "markSeveral">, { rows, opened, known }: PaneState): Unread {
  const marks = new Map<string, Mark>();
  let reads = 0;

  const show = (id: string, unread: boolean, told: boolean): Mark =>
    batch(() => {
      rows.value = list.mark(rows.peek(), id, unread);
      const shown = opened.peek();
      if (shown?.id === id && shown.unread !== unread) opened.value = { ...shown, unread };
      const mark = { unread, told };
      marks.set(id, mark);
      forget();
      return mark;
    });
  const isUnread = (id: string): boolean => known(id).some((item) => item.unread);

  async function tell(id: string, read: boolean): Promise<void> {
    const mark = show(id, !read, false);
    // A mark that does not reach the server is there again with the next read of the list: nothing is lost by it.
    await api.markRead(id, read).catch(() => marks.get(id) === mark && marks.delete(id));
    mark.told = true;
    forget();
  }

  /** A mark that the server has matters only to the reads that are under way. */
  function forget(): void {
    if (reads > 0) return;
    for (const [id, { told }] of marks) if (told) marks.delete(id);
  }

  return {
    mark: (id) => void show(id, true, true),
    read: (id) => void (isUnread(id) && tell(id, true)),
    toggle: (id) => void tell(id, isUnread(id)),
    async several(projectId, ids, read) {
      const old = new Map(ids.map((id) => [id, isUnread(id)]));
      const own = ids.map((id) => show(id, !read, false));
      const told = await inChunks(ids, (part) => api.markSeveral(projectId, part, read));
      batch(() => {
        ids.forEach((id, at) => {
          const mark = own[at];
          if (mark) mark.told = true;
          if (!told && marks.get(id) === mark) show(id, old.get(id) ?? false, true);
        });
        forget();
      });
      return told;
    },
    async within(read) {
      const before = new Set([...marks.values()].filter(({ told }) => told));
      reads++;
      try {
        const page = await read();
        const own = (id: string): Mark | undefined => {
          const mark = marks.get(id);
          return mark && !before.has(mark) ? mark : undefined;
        };
        return { ...page, items: page.items.map((item) => ({ ...item, unread: own(item.id)?.unread ?? item.unread })) };
      } finally {
        reads--;
        forget();
      }
    },
  };
}

/** As many as one call takes, one call after the other. False where one failed. */
async function inChunks(ids: readonly string[], call: (part: readonly string[]) => Promise<void>): Promise<boolean> {
  const most = 200;
  try {
    for (let at = 0; at < ids.length; at += most) await call(ids.slice(at, at + most));
    return true;
  } catch {
    return false;
  }
}
