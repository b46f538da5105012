import { batch } from "@preact/signals";
import type { Api } from "../session/api";
import type { PaneState } from "./panes";
import * as list from "./rows";

/** What this person has not read. The server keeps it, so it is the same on every machine of theirs. */
export interface Unread {
  /** Its visitor said something that nobody has looked at here. */
  mark(id: string): void;
  read(id: string): void;
  /** By hand: read becomes unread, and the other way round. */
  toggle(id: string): void;
}

export function createUnread(api: Pick<Api, "markRead">, { rows, opened, known }: PaneState): Unread {
  const show = (id: string, unread: boolean): void =>
    batch(() => {
      rows.value = list.mark(rows.peek(), id, unread);
      const shown = opened.peek();
      if (shown?.id === id && shown.unread !== unread) opened.value = { ...shown, unread };
    });
  const isUnread = (id: string): boolean => known(id).some((item) => item.unread);
  // A mark that does not reach the server is there again with the next read of the list: nothing is lost by it.
  const tell = (id: string, read: boolean): void => void api.markRead(id, read).catch(() => undefined);

  return {
    mark: (id) => show(id, true),
    read(id) {
      if (!isUnread(id)) return;
      show(id, false);
      tell(id, true);
    },
    toggle(id) {
      const read = isUnread(id);
      show(id, !read);
      tell(id, read);
    },
  };
}
