import { batch, signal, type ReadonlySignal, type Signal } from "@preact/signals";
import { pageSize, type Api } from "../session/api";
import type { FeedbackPage } from "../session/types";
import { everything, type FeedbackQuery } from "./query";
import * as list from "./rows";

/** `loading` with rows on screen is a quiet refresh; the rows stay until the answer is there. */
export type Load = "loading" | "ready" | "failed";

/** Reads a view of the list, page by page. It alone knows which view that is: late answers to another one are dropped. */
export interface Reading {
  load: ReadonlySignal<Load>;
  more: ReadonlySignal<Load>;
  query(): FeedbackQuery;
  /** Reads a view from its start. Never rejects; `load` says how it went. */
  show(query: FeedbackQuery): Promise<void>;
  again(): Promise<void>;
  /** Adds the next page. Where the view was read anew meanwhile, the page follows on nothing and is dropped. */
  loadMore(): Promise<void>;
  /** Brings back the rows above the first one, where they were let go of. */
  loadEarlier(): Promise<void>;
  /**
   * Brings what came between the first read and the subscription, or while nobody was connected. After a failed read it
   * does nothing: the retry that is offered then brings these, too.
   */
  catchUp(): Promise<void>;
  stop(): void;
}

export interface ReadingDeps {
  api: Pick<Api, "listFeedback">;
  projectId: string;
  rows: Signal<list.Rows>;
  /** Whether arrivals must wait for now. */
  holding(): boolean;
}

/** Rows that are kept, at least: more than anybody scrolls past in one go. */
const kept = 1000;

export function createReading({ api, projectId, rows, holding }: ReadingDeps): Reading {
  const load = signal<Load>("loading");
  const more = signal<Load>("ready");
  let query = everything;
  let reading: AbortController | null = null;
  let current = Promise.resolve();
  /** The pages that were read, by the cursor before each; the first `gone` of them are not kept. */
  let pages: { cursor: string | null; size: number }[] = [];
  let gone = 0;
  let earlier = false;

  /** What is kept stays the same however far somebody reads. */
  function trim(): void {
    const page = pages[gone];
    if (!page || rows.peek().items.length <= kept) return;
    gone++;
    rows.value = list.dropFirst(rows.peek(), page.size);
  }

  /** The youngest read wins; an older one is aborted, and its answer would be dropped if it came. */
  async function read(): Promise<void> {
    reading?.abort();
    const mine = (reading = new AbortController());
    load.value = "loading";
    try {
      const page = await api.listFeedback(projectId, query, null, mine.signal);
      if (reading === mine)
        batch(() => {
          rows.value = firstPage(page);
          pages = [{ cursor: null, size: page.items.length }];
          gone = 0;
          more.value = load.value = "ready";
        });
    } catch {
      if (reading === mine) load.value = "failed";
    }
  }

  const again = (): Promise<void> => (current = read());
  return {
    load,
    more,
    query: () => query,
    show(next) {
      query = next;
      return again();
    },
    again,
    async loadMore() {
      const { cursor } = rows.peek();
      if (!cursor || more.peek() === "loading" || load.peek() !== "ready") return;
      const asked = query;
      more.value = "loading";
      try {
        const page = await api.listFeedback(projectId, query, cursor);
        if (asked !== query || rows.peek().cursor !== cursor) return;
        batch(() => {
          const before = rows.peek().items.length;
          rows.value = list.append(rows.peek(), page.items, page.next_cursor ?? null);
          pages.push({ cursor, size: rows.peek().items.length - before });
          trim();
          more.value = "ready";
        });
      } catch {
        if (asked === query) more.value = "failed";
      }
    },
    async loadEarlier() {
      const page = pages[gone - 1];
      if (!page || earlier || load.peek() !== "ready") return;
      const asked = query;
      earlier = true;
      // Scrolling asks again: a failed read needs no button.
      const found = await api.listFeedback(projectId, query, page.cursor).catch(() => null);
      earlier = false;
      if (!found || asked !== query || pages[gone - 1] !== page) return;
      gone--;
      rows.value = list.putBack(rows.peek(), found.items, page.size);
      // The way back up must not keep more either: the end is read again when somebody is there.
      while (rows.peek().items.length > kept + pageSize && pages.length > gone + 1) {
        const last = pages.pop();
        if (last) rows.value = list.dropLast(rows.peek(), last.size, last.cursor);
      }
    },
    async catchUp() {
      await current;
      if (load.peek() !== "ready") return;
      // Where the newest are not on top, only the server knows the place of what came.
      if (!list.newestFirst(query)) return again();
      // Who has read on that far finds what is new on the way back.
      if (gone > 0) return;
      const asked = query;
      const page = await api.listFeedback(projectId, query, null).catch(() => null);
      if (page && asked === query) rows.value = list.reconcile(rows.peek(), page.items, holding());
    },
    stop: () => reading?.abort(),
  };
}

/** A first page replaces everything: arrivals that were waiting are part of it. */
function firstPage(page: FeedbackPage): list.Rows {
  return {
    items: page.items,
    waiting: [],
    cursor: page.next_cursor ?? null,
    dropped: 0,
    total: page.total ?? null,
    atLeast: page.total_is === "at_least",
  };
}
