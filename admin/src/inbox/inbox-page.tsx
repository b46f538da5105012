import { useSignal } from "@preact/signals";
import { useEffect, useMemo, useRef } from "preact/hooks";
import { useDashboard } from "../context";
import { useKeys } from "../keys";
import { inboxHref, navigate } from "../router";
import type { FeedbackQuery } from "../session/api";
import type { Feedback, Project, Status } from "../session/types";
import { t } from "../text/en";
import { ConflictDialog } from "./conflict";
import { DetailPane } from "./detail";
import { LiveDock } from "./dock";
import { Filters } from "./filters";
import { createInbox, type Inbox } from "./inbox";
import { FeedbackList, type Hold } from "./list";
import { NoRows } from "./no-rows";
import { readQuery, writeQuery } from "./query";

/** The page is mounted anew for each project; selection and view change within. */
interface InboxPageProps {
  project: Project;
  feedbackId: string | null;
  query: URLSearchParams;
}

/** Ties the store to the URL: the query decides what is listed, the path what is open. */
export function InboxPage({ project, feedbackId, query: search }: InboxPageProps) {
  const { api, live, notices } = useDashboard();
  const hold = useRef<Hold>({ scrolled: false, pointed: false }).current;
  const inbox = useMemo(
    () =>
      createInbox({
        api,
        live: live(),
        projectId: project.id,
        holding: () => hold.scrolled || hold.pointed,
        failed: (what) => notices.show(what === "status" ? t.inbox.statusFailed : t.inbox.eraseFailed, "bad"),
      }),
    [],
  );
  useEffect(() => inbox.close, []);

  const key = writeQuery(readQuery(search)).toString();
  const query = useMemo(() => readQuery(search), [key]);
  useEffect(() => void inbox.show(query), [key]);
  useEffect(() => void inbox.open(feedbackId), [feedbackId]);
  useEffect(() => {
    document.title = `${query.quarantined ? t.inbox.quarantine : t.inbox.title} · ${project.name} · ${t.product}`;
  }, [query.quarantined, project.name]);

  return <Panes inbox={inbox} hold={hold} projectId={project.id} feedbackId={feedbackId} query={query} />;
}

interface PanesProps {
  inbox: Inbox;
  hold: Hold;
  projectId: string;
  feedbackId: string | null;
  query: FeedbackQuery;
}

/**
 * List and item side by side. The cursor is where the keyboard is, the selection is what is open: they part when
 * somebody walks the list without opening, and meet again as soon as an item is opened.
 */
function Panes({ inbox, hold, projectId, feedbackId, query }: PanesProps) {
  const { keys, workspace } = useDashboard();
  const cursorId = useSignal<string | null>(feedbackId);
  const moves = useSignal(0);
  const reader = useRef<HTMLElement>(null);
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

  const go = (id: string | null, replace = false): void => navigate(inboxHref(projectId, id, writeQuery(query)), { replace });
  const setQuery = (next: FeedbackQuery): void => navigate(inboxHref(projectId, null, writeQuery(next)), { replace: true });

  // The cursor is an id and no index: it stays on its item while others arrive above.
  const step = (by: 1 | -1): void => {
    const { items } = inbox.rows.peek();
    const at = items.findIndex((item) => item.id === (cursorId.peek() ?? feedbackId));
    const next = items[at < 0 ? 0 : Math.max(0, Math.min(items.length - 1, at + by))];
    if (!next) return;
    cursorId.value = next.id;
    moves.value++;
    // With an item open, reading goes on with the next one; the way back stays one step.
    if (feedbackId) go(next.id, true);
  };

  const back = (): void => {
    go(null);
    moves.value++;
  };

  const setStatus = (item: Feedback, status: Status): void => {
    const { items } = inbox.rows.peek();
    const at = items.findIndex(({ id }) => id === item.id);
    const following = items[at + 1] ?? items[at - 1];
    const done = inbox.setStatus(item, status);
    announce(t.inbox.updated(t.status[status]));
    // Where the change takes the item out of the view, the next one takes its place, as in a stack of paper.
    const left = at >= 0 && query.status !== "" && query.status !== status;
    if (left && following) cursorId.value = following.id;
    if (left && feedbackId === item.id) go(following?.id ?? null, true);
    void done.then((kept) => {
      if (!kept && left) go(item.id, true);
    });
  };

  // The open item before the one under the cursor: what is read is what is meant.
  const resolve = (): void => {
    const id = feedbackId ?? cursorId.peek();
    const shown = inbox.item.peek();
    const item = shown?.id === id ? shown : inbox.rows.peek().items.find((row) => row.id === id);
    if (item && workspace.canTriage.peek() && item.status !== "resolved") setStatus(item, "resolved");
  };

  useKeys(keys, {
    j: () => step(1),
    k: () => step(-1),
    ArrowDown: () => step(1),
    ArrowUp: () => step(-1),
    Enter: () => cursorId.peek() && go(cursorId.peek()),
    e: resolve,
    "/": () => document.querySelector<HTMLInputElement>("[data-search]")?.focus(),
    Escape: () => feedbackId && back(),
  });

  const { items, waiting, total, atLeast } = inbox.rows.value;
  const empty = inbox.load.value !== "loading" && items.length + waiting.length === 0;
  const conflict = inbox.conflict.value;
  return (
    <div class={feedbackId ? "panes has-item" : "panes"}>
      <h1 class="visually-hidden">{query.quarantined ? t.inbox.quarantine : t.inbox.title}</h1>
      <section class="list-pane" aria-label={query.quarantined ? t.inbox.quarantine : t.inbox.list}>
        <header class="list-head">
          <h2>{query.quarantined ? t.inbox.quarantine : t.inbox.title}</h2>
          {/* The number of the view before says nothing of one that could not be read. */}
          {total !== null && inbox.load.value !== "failed" && (
            <span class="count" data-testid="total">
              <span aria-hidden="true">{t.inbox.total(total, atLeast)}</span>
              <span class="visually-hidden">{t.inbox.totalLabel(total, atLeast)}</span>
            </span>
          )}
        </header>
        <Filters query={query} onQuery={setQuery} />
        {inbox.load.value === "loading" && <div class="boot-bar" role="status" aria-label={t.common.loading} />}
        {empty || inbox.load.value === "failed" ? (
          <NoRows inbox={inbox} query={query} projectId={projectId} onClear={() => setQuery({ status: "", kind: "", q: "", quarantined: query.quarantined })} />
        ) : (
          <FeedbackList
            inbox={inbox}
            projectId={projectId}
            query={query}
            selectedId={feedbackId}
            cursorId={cursorId.value}
            moves={moves.value}
            hold={hold}
            onCursor={(id) => (cursorId.value = id)}
          />
        )}
        <LiveDock />
      </section>
      <section class="detail-pane" aria-label={t.inbox.detail} ref={reader} tabIndex={-1} data-keys>
        <DetailPane inbox={inbox} selectedId={feedbackId} onStatus={setStatus} onStep={step} onBack={back} />
      </section>
      {conflict && <ConflictDialog inbox={inbox} conflict={conflict} />}
    </div>
  );
}

/** Tells a screen reader what a sighted person sees change. */
function announce(text: string): void {
  const region = document.getElementById("announcer");
  if (region) region.textContent = text;
}
