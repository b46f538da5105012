import { batch, computed, signal, type ReadonlySignal } from "@preact/signals";
import type { Api, FeedbackQuery } from "../session/api";
import type { Feedback, FeedbackPage, Status } from "../session/types";
import { Problem } from "../session/problem";
import { isProblem } from "../session/session";
import type { Live } from "../live/live";
import * as list from "./rows";

/** `loading` with rows on screen is a quiet refresh; the rows stay until the answer is there. */
export type Load = "loading" | "ready" | "failed";

/** Two people changed one item: what this one wanted, and what the item is now. */
export interface Conflict {
  mine: Status;
  theirs: Feedback;
}

/** The state of the right pane. `gone`: erased, another project's, or never there; the server does not say which. */
export type Detail = { name: "none" } | { name: "loading"; id: string } | { name: "shown" } | { name: "gone" } | { name: "failed"; id: string };

export interface Inbox {
  rows: ReadonlySignal<list.Rows>;
  load: ReadonlySignal<Load>;
  more: ReadonlySignal<Load>;
  /** The item of the detail pane: its row at once, its whole form as soon as it is read. */
  item: ReadonlySignal<Feedback | null>;
  detail: ReadonlySignal<Detail>;
  conflict: ReadonlySignal<Conflict | null>;
  /** Reads the view anew; what is on screen stays until the answer is there. */
  show(query: FeedbackQuery): Promise<void>;
  retry(): Promise<void>;
  loadMore(): Promise<void>;
  release(): void;
  open(id: string | null): Promise<void>;
  /** Optimistic. Resolves to false where it was undone; a conflict is then in `conflict`. */
  setStatus(item: Feedback, status: Status): Promise<boolean>;
  settle(choice: "mine" | "theirs"): Promise<void>;
  erase(id: string): Promise<boolean>;
  close(): void;
}

export interface InboxDeps {
  api: Api;
  live: Live;
  projectId: string;
  /** Whether arrivals must wait, because inserting them would move rows that somebody is reading or pointing at. */
  holding(): boolean;
  /** Tells what happened in the words of the page. */
  failed(what: "status" | "erase", error: unknown): void;
}

const everything: FeedbackQuery = { status: "", kind: "", q: "", quarantined: false };

/**
 * The store behind one project's inbox. Rows, open item and conflict change only here; whatever comes from the network
 * is checked against `rev`, because answers and live events overtake each other.
 */
export function createInbox(deps: InboxDeps): Inbox {
  const { api } = deps;
  const rows = signal(list.noRows);
  const load = signal<Load>("loading");
  const more = signal<Load>("ready");
  const opened = signal<Feedback | null>(null);
  const detail = signal<Detail>({ name: "none" });
  const openId = signal<string | null>(null);
  const conflict = signal<Conflict | null>(null);
  let query = everything;
  let reading: AbortController | null = null;
  let opening: AbortController | null = null;
  let current = Promise.resolve();

  const find = (id: string): Feedback | undefined => rows.peek().items.find((item) => item.id === id);

  /** The one way in which an item's newer form reaches both panes. */
  function put(form: (old: Feedback) => Feedback, id: string, edit: (rows: list.Rows) => list.Rows): void {
    batch(() => {
      rows.value = edit(rows.peek());
      const shown = opened.peek();
      if (shown?.id === id) opened.value = form(shown);
    });
  }

  /** A first page replaces everything: arrivals that were waiting are part of it. */
  function fill(page: FeedbackPage): void {
    rows.value = {
      items: page.items,
      waiting: [],
      cursor: page.next_cursor ?? null,
      total: page.total ?? null,
      atLeast: page.total_is === "at_least",
    };
  }

  function read(): Promise<void> {
    return (current = readNow());
  }

  /** The youngest read wins; an older one is aborted, and its answer would be dropped if it came. */
  async function readNow(): Promise<void> {
    reading?.abort();
    const mine = (reading = new AbortController());
    load.value = "loading";
    try {
      const page = await api.listFeedback(deps.projectId, query, null, mine.signal);
      if (reading !== mine) return;
      batch(() => {
        fill(page);
        more.value = "ready";
        load.value = "ready";
      });
    } catch {
      if (reading === mine) load.value = "failed";
    }
  }

  /** Brings what came between the first read and the subscription, or while nobody was connected. */
  async function catchUp(): Promise<void> {
    await current;
    if (load.peek() !== "ready") return;
    const asked = query;
    const page = await api.listFeedback(deps.projectId, query, null).catch(() => null);
    if (page && asked === query) rows.value = list.reconcile(rows.peek(), page.items, deps.holding());
  }

  /** Takes an item off the screen, in both panes. */
  function leave(id: string): void {
    batch(() => {
      rows.value = list.remove(rows.peek(), id);
      if (openId.peek() === id) {
        opened.value = null;
        detail.value = { name: "gone" };
      }
    });
  }

  const unwatch = deps.live.watch(deps.projectId, {
    received(data) {
      const item = list.fromArrival(data);
      if (list.belongs(item, query)) rows.value = list.arrive(rows.peek(), item, deps.holding());
    },
    updated({ id, rev, changes }) {
      put((old) => (rev <= old.rev ? old : { ...old, ...changes, rev }), id, (old) => list.change(old, id, rev, changes));
    },
    erased: ({ id }) => leave(id),
    fresh: (all) => void (all ? read() : catchUp()),
  });

  /** Changes first and asks then. Where the new status is outside the view, the row leaves at once. */
  async function write(before: Feedback, status: Status, rev: number): Promise<boolean> {
    const moved: Feedback = { ...before, status };
    put((old) => ({ ...old, status }), before.id, (old) =>
      list.belongs(moved, { ...query, q: "" }) ? list.assume(old, before.id, status) : list.remove(old, before.id),
    );
    try {
      const answer = await api.setStatus(before.id, status, rev);
      put((old) => (answer.rev < old.rev ? old : answer), before.id, (old) => list.replace(old, answer));
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
    const shown = opened.peek();
    const known = [find(before.id), shown?.id === before.id ? shown : undefined].find((item) => item && item.rev > before.rev);
    const back = theirs ?? known ?? before;
    put(() => back, back.id, (old) => list.restore(old, back));
    if (theirs) conflict.value = { mine, theirs };
    else if (error instanceof Problem && error.status === 404) leave(before.id);
    else deps.failed("status", error);
  }

  /** An arrival carries no `rev`; the item is read before it is changed. */
  async function whole(id: string): Promise<Feedback | null> {
    try {
      return await api.feedback(id);
    } catch (error) {
      deps.failed("status", error);
      return null;
    }
  }

  return {
    rows,
    load,
    more,
    detail,
    conflict,
    item: computed(() => {
      if (opened.value) return opened.value;
      const id = openId.value;
      return (id && detail.value.name === "loading" && rows.value.items.find((item) => item.id === id)) || null;
    }),
    show(next) {
      query = next;
      return read();
    },
    retry: read,
    async loadMore() {
      const { cursor } = rows.peek();
      if (!cursor || more.peek() === "loading" || load.peek() !== "ready") return;
      const asked = query;
      more.value = "loading";
      try {
        const page = await api.listFeedback(deps.projectId, query, cursor);
        if (asked !== query || rows.peek().cursor !== cursor) return;
        batch(() => {
          rows.value = list.append(rows.peek(), page.items, page.next_cursor ?? null);
          more.value = "ready";
        });
      } catch {
        if (asked === query) more.value = "failed";
      }
    },
    release: () => (rows.value = list.release(rows.peek())),
    async open(id) {
      opening?.abort();
      const mine = (opening = new AbortController());
      batch(() => {
        openId.value = id;
        opened.value = null;
        detail.value = id ? { name: "loading", id } : { name: "none" };
      });
      if (!id) return;
      try {
        const item = await api.feedback(id, mine.signal);
        if (opening !== mine) return;
        if (item.project_id !== deps.projectId) {
          detail.value = { name: "gone" };
          return;
        }
        batch(() => {
          opened.value = item;
          detail.value = { name: "shown" };
          rows.value = list.replace(rows.peek(), item);
        });
      } catch (error) {
        if (opening !== mine) return;
        detail.value = error instanceof Problem && error.status < 500 ? { name: "gone" } : { name: "failed", id };
      }
    },
    async setStatus(item, status) {
      const before = item.rev > 0 ? item : await whole(item.id);
      if (!before) return false;
      return before.status === status ? true : write(before, status, before.rev);
    },
    async settle(choice) {
      const open = conflict.peek();
      conflict.value = null;
      if (open && choice === "mine") await write(open.theirs, open.mine, open.theirs.rev);
    },
    async erase(id) {
      try {
        await api.erase(id);
      } catch (error) {
        if (!(error instanceof Problem && error.status === 404)) {
          deps.failed("erase", error);
          return false;
        }
      }
      leave(id);
      return true;
    },
    close() {
      reading?.abort();
      opening?.abort();
      unwatch();
    },
  };
}
