import type { ReadonlySignal } from "@preact/signals";
import type { Live } from "../live/live";
import type { Api } from "../session/api";
import type { Feedback } from "../session/types";
import { createBulk, type Bulk } from "../triage/bulk";
import { createSelection, type Selection } from "../triage/selection";
import { uuidv7 } from "../uuid";
import { createChanging, type Changing, type ChangingDeps } from "./changing";
import { createConversation, type Conversation, type ConversationDeps } from "./conversation";
import { createOpening, type Opening } from "./opening";
import { createPaneState, type Detail } from "./panes";
import { createReading, type Reading } from "./reading";
import * as list from "./rows";
import type { Shelf } from "./shelf";
import { createUnread } from "./unread";

/** One project's inbox, as its page sees it. Only its own calls and the project's log change what it shows. */
export interface Inbox extends Pick<Reading, "load" | "more" | "show" | "loadMore" | "loadEarlier">, Pick<Opening, "open">, Changing {
  rows: ReadonlySignal<list.Rows>;
  /** The item of the detail pane: its row at once, its whole form as soon as it is read. */
  item: ReadonlySignal<Feedback | null>;
  detail: ReadonlySignal<Detail>;
  conversation: Conversation;
  toggleUnread(id: string): void;
  /** What is meant together. */
  selection: Selection;
  changeSeveral: Bulk["change"];
  progress: Bulk["progress"];
  /** False where the server was not told, and nothing changed. */
  markSeveral(ids: readonly string[], read: boolean): Promise<boolean>;
  /** The newest form of these, of as many as are known. */
  known(ids: readonly string[]): readonly Feedback[];
  /** Whether an item in this form belongs to what is listed. */
  stays(item: Feedback): boolean;
  /** The window is looked at again, and with it what is open in it. */
  looked(): void;
  retry(): Promise<void>;
  /** Shows the arrivals that were held back. */
  release(): void;
  /** Ends the watch and drops what is under way; nothing changes afterwards. */
  close(): void;
}

export interface InboxDeps {
  api: Api;
  live: Live;
  projectId: string;
  /** Whether arrivals must wait, because inserting them would move rows that somebody is reading or pointing at. */
  holding(): boolean;
  failed: ChangingDeps["failed"];
  shelf: Shelf;
  settled: ConversationDeps["settled"];
  /** What is on screen is being looked at. */
  visible(): boolean;
  /** Who looks: what is assigned to "me". */
  me: string;
}

/** The store behind one project's inbox: reading, opening and changing work on the same two panes, and so does the log. */
export function createInbox({ api, live, projectId, holding, failed, shelf, settled, visible, me }: InboxDeps): Inbox {
  const panes = createPaneState();
  const { rows, item, detail, leave } = panes;
  const unread = createUnread(api, panes);
  const reading = createReading({ api: { listFeedback: (...of) => unread.within(() => api.listFeedback(...of)) }, projectId, rows, holding });
  const opening = createOpening(api, projectId, panes);
  // A change of status does not change what a search finds, and only the server can tell what it finds. What was read
  // stays until the list is read again: it would leave while it is looked at.
  const stays = (changed: Feedback): boolean => list.belongs(changed, { ...reading.query(), q: "", unread: false }, me);
  const changing = createChanging({ api, panes, stays, failed });
  const bulk = createBulk({ api, projectId, panes, stays });
  const selection = createSelection();

  const conversation = createConversation({ api, live, shelf, settled, newId: uuidv7, now: Date.now });
  const unopened = (id: string): boolean => panes.openId.peek() !== id || !visible();

  /** Somebody's change may bring an item into the list that was not in it. */
  async function enter(id: string, changes: Partial<Feedback>): Promise<void> {
    const query = reading.query();
    const about = Object.keys(changes).some((name) => name === "assignee_id" || name === "tags" || query[name as "status" | "priority"]?.length > 0);
    // What was released is new in every list.
    const released = changes.quarantined === false;
    if (query.q || !list.newestFirst(query) || (!released && (!list.isNarrowed(query) || !about)) || holding()) return;
    const found = await api.feedback(id).catch(() => null);
    if (found && query === reading.query() && list.belongs(found, query, me) && list.within(rows.peek(), found)) rows.value = list.restore(rows.peek(), found);
  }

  const unwatch = live.watch(projectId, {
    received(data) {
      const arrival = list.fromArrival(data);
      const query = reading.query();
      if (list.newestFirst(query) && list.belongs(arrival, query, me)) rows.value = list.arrive(rows.peek(), arrival, holding());
    },
    updated({ id, rev, changes }) {
      panes.put((old) => (rev <= old.rev ? old : { ...old, ...changes, rev }), id, (old) => list.change(old, id, rev, changes));
      const held = list.holds(rows.peek(), id);
      // Not while somebody reads there: rows below would move up under their eyes.
      if (held && !holding() && !panes.known(id).every(stays)) rows.value = list.remove(rows.peek(), id);
      if (!held) void enter(id, changes);
    },
    erased({ id }) {
      leave(id);
      selection.drop([id]);
      conversation.forget(id);
    },
    conversed(event) {
      conversation.heard(event);
      const { feedback_id, author } = event.data;
      if (event.type !== "MessagePosted" || author.kind !== "visitor") return;
      unread.mark(feedback_id);
      if (!unopened(feedback_id)) unread.read(feedback_id);
    },
    fresh(all) {
      void (all ? reading.again() : reading.catchUp());
      void conversation.again();
    },
  });

  return {
    ...changing,
    rows,
    item,
    detail,
    load: reading.load,
    more: reading.more,
    show: reading.show,
    retry: reading.again,
    loadMore: reading.loadMore,
    loadEarlier: reading.loadEarlier,
    conversation,
    toggleUnread: unread.toggle,
    selection,
    changeSeveral: bulk.change,
    progress: bulk.progress,
    markSeveral: (ids, read) => unread.several(projectId, ids, read),
    known: (ids) => ids.flatMap((id) => [...panes.known(id)].sort((a, b) => b.rev - a.rev).slice(0, 1)),
    stays,
    looked: () => unread.read(panes.openId.peek() ?? ""),
    async open(id) {
      await Promise.all([opening.open(id), conversation.open(id)]);
      // Once it could be read, and only by who still looks at it.
      if (id && !unopened(id)) unread.read(id);
    },
    release() {
      // On top of what is not there: the first page is read anew, and has them.
      if (rows.peek().dropped > 0) void (rows.peek().waiting.length > 0 && reading.again());
      else rows.value = list.release(rows.peek());
    },
    close() {
      reading.stop();
      opening.stop();
      conversation.close();
      unwatch();
    },
  };
}
