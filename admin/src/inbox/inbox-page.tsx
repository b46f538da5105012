import type { Signal } from "@preact/signals";
import { useCallback, useEffect, useMemo, useRef } from "preact/hooks";
import { useDashboard } from "../context";
import { useKeys } from "../keys";
import { useCommands } from "../palette/commands";
import { pages } from "../shell/pages";
import { Empty, type Notices } from "../ui/notices";
import type { FeedbackQuery } from "./query";
import type { Project, View, Visibility } from "../session/types";
import { viewersByItem, type Viewers } from "../live/presence";
import { t } from "../text/en";
import { isolate } from "../text/isolate";
import { createDesk, type Desk } from "../triage/desk";
import { UndoBar } from "../triage/undo-bar";
import { announce } from "../ui/announce";
import { Icon } from "../ui/icons";
import { Marking } from "../ui/linkify";
import { LiveDock } from "./dock";
import { Filters } from "./filters";
import type { AnswerPort } from "./item-body";
import { createInbox, type Inbox } from "./inbox";
import { marked } from "./highlight";
import { FeedbackList, type Hold } from "./list";
import { NoRows } from "./no-rows";
import { everything, readQuery, writeQuery } from "./query";
import type { Outgoing } from "./outbox";
import { createShelf, type Shelf } from "./shelf";
import { builtInOf } from "../views/views";
import { useWalk, type Walk } from "./walk";

/** The page is mounted anew for each project; selection and view change within. */
interface InboxPageProps {
  project: Project;
  feedbackId: string | null;
  query: URLSearchParams;
}

/** Ties the store to the URL: the query decides what is listed, the path what is open. */
export function InboxPage({ project, feedbackId, query: search }: InboxPageProps) {
  const { api, live, notices, views, workspace } = useDashboard();
  const hold = useRef<Hold>({ scrolled: false, pointed: false }).current;
  // Made while drawing and not after: the first picture already needs its state. It is closed with the page.
  const me = workspace.me.peek()?.user.id ?? "";
  const shelf = useMemo(() => createShelf(() => localStorage, me, Date.now), []);
  const inbox = useMemo(
    () =>
      createInbox({
        // What was read here is counted anew: nobody else is told of it.
        api: { ...api, markRead: (...of) => api.markRead(...of).finally(views.stale), markSeveral: (...of) => api.markSeveral(...of).finally(views.stale) },
        live: live(),
        projectId: project.id,
        holding: () => hold.scrolled || hold.pointed,
        failed: (what) => notices.show(what === "change" ? t.inbox.changeFailed : t.inbox.eraseFailed, "bad"),
        shelf,
        settled: (message, open) => tell(message, open, notices),
        visible: () => !document.hidden,
        me,
      }),
    [],
  );
  useEffect(() => inbox.close, []);
  useLooking(inbox);

  // Compared by its spelling: every navigation makes a new query object, also one that only opens an item.
  const key = writeQuery(readQuery(search)).toString();
  const query = useMemo(() => readQuery(search), [key]);
  useEffect(() => void inbox.show(query), [key]);
  const title = useTitle(query);
  useEffect(() => void inbox.open(feedbackId), [feedbackId]);
  useEffect(() => {
    document.title = `${title} · ${isolate(project.name)} · ${t.product}`;
  }, [title, project.name]);

  return <Panes inbox={inbox} shelf={shelf} hold={hold} projectId={project.id} feedbackId={feedbackId} query={query} />;
}

function useTitle(query: FeedbackQuery): string {
  const { views } = useDashboard();
  return titleOf(query, views.list.value?.items);
}

/** The name of what is listed: of the view that it is, or that it began as. */
export function titleOf(query: FeedbackQuery, saved: readonly View[] = []): string {
  const view = saved.find(({ id }) => id === query.view);
  return view ? isolate(view.name) : t.views.builtIn[builtInOf(query)];
}

/** What became of a message, for who cannot see it: by ear, and where its item is not on screen by a notice. */
function tell({ state, visibility }: Outgoing, open: boolean, notices: Notices): void {
  if (state === "sent") return announce(visibility === "public" ? t.conversation.sent : t.conversation.added);
  if (open) announce(t.conversation.notSent);
  else notices.show(t.conversation.failedElsewhere, "bad");
}

/** Tells others what is open here, and takes what is looked at for read. */
function useLooking(inbox: Inbox): void {
  const live = useDashboard().live();
  const open = inbox.item.value?.id ?? null;
  useEffect(() => live.viewing.open(open), [open]);
  useEffect(() => {
    const look = (): void => void (document.hidden || inbox.looked());
    document.addEventListener("visibilitychange", look);
    return () => {
      document.removeEventListener("visibilitychange", look);
      live.viewing.open(null);
    };
  }, []);
}

interface PanesProps {
  inbox: Inbox;
  shelf: Shelf;
  hold: Hold;
  projectId: string;
  feedbackId: string | null;
  query: FeedbackQuery;
}

/** List and item side by side. Where the screen is narrow the item lies over the list; the style sheet decides. */
function Panes(props: PanesProps) {
  const { inbox, shelf, feedbackId, query } = props;
  const { commands, keys, workspace } = useDashboard();
  const viewers = useViewers();
  const port = useRef<AnswerPort>({ open: null, wanted: null }).current;
  const walk = useWalk(props, announce);
  const desk = useDesk(props, walk);
  const reader = useRef<HTMLElement>(null);
  useArrival(feedbackId, reader, walk.cursorId);
  const mark = useCallback((text: string) => marked(text, query.q), [query.q]);

  const answer = (to: Visibility): void => {
    const id = feedbackId ?? walk.cursorId.peek();
    if (!id || !workspace.canTriage.peek()) return;
    if (feedbackId) return port.open?.(to);
    port.wanted = { id, to };
    walk.go(id);
  };

  const me = workspace.me.value?.user.id ?? null;
  // What has a name: its key, the help sheet's words and the palette's entry are of one place.
  const named: readonly (readonly [string, string, () => void])[] = [
    ["e", t.help.resolve, () => desk.act({ status: "resolved" })],
    ["a", t.help.assign, () => desk.pick("assignee_id")],
    ["l", t.help.tag, () => desk.pick("tags")],
    ["p", t.help.priority, () => desk.pick("priority")],
    ["u", t.help.unread, () => desk.mark()],
    ["r", t.help.reply, () => answer("public")],
    ["n", t.help.note, () => answer("internal")],
    ["z", t.help.undo, desk.undo.undo],
    ["/", t.help.search, () => document.querySelector<HTMLInputElement>("[data-search]")?.focus()],
  ];
  useCommands(commands, () => [
    ...named.map(([key, name, run]) => ({ name, keys: key.toUpperCase(), run })),
    { name: t.palette.assignMe, run: () => desk.act({ assignee_id: me }) },
    { name: t.triage.status, run: () => desk.pick("status") },
  ]);
  useKeys(keys, {
    ...Object.fromEntries(named.map(([key, , run]) => [key, run])),
    j: () => walk.step(1),
    k: () => walk.step(-1),
    ArrowDown: () => walk.step(1),
    ArrowUp: () => walk.step(-1),
    Enter: () => walk.cursorId.peek() && walk.go(walk.cursorId.peek()),
    x: () => walk.cursorId.peek() && inbox.selection.toggle(walk.cursorId.peek() as string),
    X: () => walk.cursorId.peek() && inbox.selection.extend(inbox.rows.peek().items.map(({ id }) => id), walk.cursorId.peek() as string),
    Escape: () => (inbox.selection.ids.peek().size > 0 ? inbox.selection.clear() : feedbackId && walk.back()),
  });

  const conflict = inbox.conflict.value;
  return (
    <div class={feedbackId ? "panes has-item" : "panes"}>
      {/* The pane's own heading is an h2: beside it stands the open item, and the page is both. */}
      <h1 class="visually-hidden">{query.quarantined ? t.inbox.quarantine : t.inbox.title}</h1>
      {/* What reads an item comes while somebody is on the way to one. */}
      <ListPane {...props} walk={walk} viewers={viewers} desk={desk} />
      <section class="detail-pane" aria-label={t.inbox.detail} ref={reader} tabIndex={-1} data-keys>
        <Marking.Provider value={mark}>
          {feedbackId ? <pages.item.Page inbox={inbox} selectedId={feedbackId} shelf={shelf} viewers={viewers} port={port} onStatus={(_, status) => desk.act({ status })} onEdit={desk.pick} onStep={walk.step} onBack={walk.back} /> : <NoItem inbox={inbox} />}
        </Marking.Provider>
      </section>
      <Asking inbox={inbox} desk={desk} projectId={props.projectId} />
      <UndoBar slot={desk.undo} />
      {conflict && <pages.conflict.Page inbox={inbox} conflict={conflict} />}
    </div>
  );
}

/** The desk of this page. What it acts on is read when it acts: the page is drawn anew with every step. */
function useDesk({ inbox, projectId, feedbackId, query }: PanesProps, walk: Walk): Desk {
  const { api, notices, workspace } = useDashboard();
  const latest = useRef({ feedbackId, walk });
  latest.current = { feedbackId, walk };
  useEffect(() => void workspace.readMembers(), []);
  const desk = useMemo(
    () =>
      createDesk({
        inbox,
        pages: (of, cursor) => api.listFeedback(projectId, of, cursor),
        walk: () => latest.current.walk,
        at: () => latest.current.feedbackId ?? latest.current.walk.cursorId.peek(),
        workspace,
        notices,
      }),
    [],
  );
  useEffect(
    () => () => {
      // What is meant in one view means nothing in another.
      inbox.selection.clear();
      desk.gathering.value = false;
    },
    [query],
  );
  return desk;
}

/** Whoever is on the way to an item needs what follows. At once, too: the next key may be one that asks for something. */
function act(): void {
  pages.item.preload();
  pages.picking.preload();
  pages.selection.preload();
  pages.filters.preload();
}

/** Asks for a field's new value. It follows the items: of tags, several are picked in one go. */
function Asking({ inbox, desk, projectId }: Pick<PanesProps, "inbox" | "projectId"> & { desk: Desk }) {
  const field = desk.picking.value;
  // Subscribed to, because the desk only looks.
  void [inbox.rows.value, inbox.item.value];
  return field && <pages.picking.Page field={field} projectId={projectId} items={desk.items()} onPick={desk.act} onClose={() => (desk.picking.value = null)} />;
}

/** Without rows there is nothing to select, and the list itself says why. */
function NoItem({ inbox }: { inbox: Inbox }) {
  const offered = inbox.load.value !== "failed" && inbox.rows.value.items.length > 0;
  return offered ? <Empty icon="inbox" title={t.inbox.pick} lead={t.inbox.pickLead} testid="detail-none" /> : null;
}

/** Who else has what open; the same lists as long as nothing changed, so that rows are not drawn again. */
function useViewers(): Viewers {
  const { live, workspace } = useDashboard();
  const last = useRef<Viewers>(new Map());
  const members = live().members.value;
  const me = workspace.me.value?.user.id ?? "";
  return useMemo(() => (last.current = viewersByItem(members, me, last.current)), [members, me]);
}

/** Puts cursor and focus on the item that was opened, however it was opened: by key, click, link or the way back. */
function useArrival(feedbackId: string | null, reader: { current: HTMLElement | null }, cursorId: Signal<string | null>): void {
  const arriving = useRef(true);
  useEffect(() => {
    // Whoever comes by a link has moved no focus yet, and a ring around the whole pane would say that they had.
    const first = arriving.current;
    arriving.current = false;
    if (!feedbackId || first) return;
    cursorId.value = feedbackId;
    // On a narrow screen the item takes the list's place, and the focus must not stay behind on a hidden row.
    const focused = document.activeElement;
    if (!focused || focused === document.body || getComputedStyle(focused).visibility === "hidden") reader.current?.focus();
  }, [feedbackId]);
}

/** The left pane. It stays mounted while an item is read, so that the way back leads to the same place in the list. */
function ListPane({ inbox, hold, projectId, feedbackId, query, walk, viewers, desk }: PanesProps & { walk: Walk; viewers: Viewers; desk: Desk }) {
  const { items, waiting, total, atLeast } = inbox.rows.value;
  const load = inbox.load.value;
  const title = useTitle(query);
  // Rows that are only waiting are rows: "none yet" beside "2 new" would contradict itself.
  const empty = load !== "loading" && items.length + waiting.length === 0;
  return (
    <section class="list-pane" onPointerEnter={act} onFocusIn={act} aria-label={query.quarantined ? t.inbox.quarantine : t.inbox.list}>
      <header class="list-head">
        <h2 class="cut"><bdi>{title}</bdi></h2>
        {/* The number of the view before says nothing of one that could not be read. */}
        {total !== null && load !== "failed" && (
          <span class="count" data-testid="total">
            <span aria-hidden="true">{t.inbox.total(total, atLeast)}</span>
            <span class="visually-hidden">{t.inbox.totalLabel(total, atLeast)}</span>
          </span>
        )}
        <a class="icon-button end" href={`/projects/${projectId}/jobs?export=&${writeQuery(query)}`} aria-label={t.inbox.exportView} title={t.inbox.exportView}><Icon name="jobs" /></a>
      </header>
      <Filters query={query} projectId={projectId} onQuery={walk.setQuery} />
      {load === "loading" && <div class="boot-bar" role="status" aria-label={t.common.loading} />}
      {empty || load === "failed" ? (
        <NoRows inbox={inbox} query={query} projectId={projectId} onClear={() => walk.setQuery({ ...everything, quarantined: query.quarantined })} />
      ) : (
        <FeedbackList
          inbox={inbox}
          projectId={projectId}
          query={query}
          selectedId={feedbackId}
          cursorId={walk.cursorId.value}
          moves={walk.moves.value}
          hold={hold}
          viewers={viewers}
          onCursor={(id) => (walk.cursorId.value = id)}
        />
      )}
      {inbox.selection.ids.value.size > 0 && <pages.selection.Page inbox={inbox} desk={desk} query={query} />}
      <LiveDock />
    </section>
  );
}
