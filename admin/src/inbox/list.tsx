import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import { useDashboard } from "../context";
import type { Viewers } from "../live/presence";
import { inboxHref } from "../router";
import type { FeedbackQuery } from "./query";
import { t } from "../text/en";
import { Icon } from "../ui/icons";
import { useMinute } from "../ui/minute";
import type { Inbox } from "./inbox";
import { writeQuery } from "./query";
import { Row } from "./row";
import { useWindow, type Box } from "./window";

/** What the list tells the store: whether an arrival may be shown at once. */
export interface Hold {
  scrolled: boolean;
  pointed: boolean;
}

interface ListProps {
  inbox: Inbox;
  projectId: string;
  query: FeedbackQuery;
  selectedId: string | null;
  cursorId: string | null;
  /** Raised by one with every keyboard move: the row under the cursor then takes the focus. */
  moves: number;
  hold: Hold;
  viewers: Viewers;
  onCursor(id: string): void;
}

/** Ask for the next page this many rows before the end. */
const ahead = 15;

/** The window over the loaded rows: about thirty are in the document, however many there are. */
export function FeedbackList(props: ListProps) {
  const { inbox, projectId, query, selectedId, cursorId, hold, viewers, onCursor } = props;
  const scroller = useRef<HTMLDivElement>(null);
  const now = useMinute();
  const { items, waiting, dropped, total, atLeast } = inbox.rows.value;
  const { workspace } = useDashboard();
  const checked = inbox.selection.ids.value;
  const { shown, cursor, row, first, end, onScroll } = useWindow(scroller, items, dropped, cursorId);
  useFocusedRow(scroller, cursor < 0 ? -1 : cursor + dropped, row, props);
  useEffect(() => {
    if (dropped > 0 && first < ahead) void inbox.loadEarlier();
    if (end + ahead > items.length && inbox.more.value === "ready") void inbox.loadMore();
  });

  // Asked for, so the list may move: to the top, where the new items are.
  const showWaiting = (): void => {
    inbox.release();
    scroller.current?.scrollTo({ top: 0 });
  };
  // Back at the top, nothing is pushed away any more, and what waited may come in.
  const scrolled = (): void => {
    hold.scrolled = onScroll() > 4;
    // Straight to the top, past rows that are not kept: they are not read one page after the other.
    if (!hold.scrolled && dropped > 0) void inbox.retry();
    else if (!hold.scrolled && !hold.pointed) inbox.release();
  };

  const search = writeQuery(query);
  // -1 says that the size is not known (WAI-ARIA); a wrong number would be worse.
  const setSize = total === null || atLeast ? -1 : Math.max(dropped + items.length, total - waiting.length);
  return (
    <div class={checked.size > 0 ? "list-area has-selection" : "list-area"}>
      <Arrivals count={waiting.length} onShow={showWaiting} />
      <div
        class="list-scroll"
        ref={scroller}
        onScroll={scrolled}
        onClick={(event) => check(event, inbox)}
        // A finger does not hover: it would hold the arrivals back until the next touch elsewhere.
        onPointerEnter={(event) => (hold.pointed = event.pointerType === "mouse")}
        onPointerLeave={() => {
          hold.pointed = false;
          if (!hold.scrolled) inbox.release();
        }}
      >
        <ul class="rows" style={{ "--rows": `${(dropped + items.length) * row}px` }} aria-label={t.inbox.list} data-testid="rows">
          {shown.map(({ item, at }) => (
            <Row
              key={item.id}
              item={item}
              href={inboxHref(projectId, item.id, search)}
              position={dropped + at + 1}
              setSize={setSize}
              top={(dropped + at) * row}
              selected={item.id === selectedId}
              tabbable={cursor >= 0 ? at === cursor : at === 0}
              now={now}
              viewers={viewers.get(item.id)}
              checked={checked.has(item.id)}
              q={query.q}
              assignee={item.assignee_id ? workspace.memberName(item.assignee_id) : undefined}
            />
          ))}
        </ul>
        <ListEnd inbox={inbox} />
      </div>
      <FocusTracker scroller={scroller} onCursor={onCursor} />
    </div>
  );
}

/** The boxes of the rows. With Shift it is all from the last one to this. */
function check(event: MouseEvent, inbox: Inbox): void {
  const id = event.target instanceof HTMLInputElement ? event.target.dataset["check"] : undefined;
  if (!id) return;
  if (event.shiftKey) inbox.selection.extend(inbox.rows.peek().items.map((item) => item.id), id);
  else inbox.selection.toggle(id);
}

/** How many wait. The region is there before it speaks: screen readers miss what appears together with its region. */
function Arrivals({ count, onShow }: { count: number; onShow(): void }) {
  return (
    <div aria-live="polite" class="arrivals">
      {count > 0 && (
        <button type="button" class="pill" data-testid="waiting" onClick={onShow}>
          <Icon name="up" />
          {t.inbox.arrived(count)}
        </button>
      )}
    </div>
  );
}

/** After a keyboard move, brings the row under the cursor into view and gives it the focus. */
function useFocusedRow(scroller: Box, cursor: number, row: number, { moves, cursorId }: Pick<ListProps, "moves" | "cursorId">): void {
  useLayoutEffect(() => {
    const box = scroller.current;
    if (!box || moves === 0 || cursor < 0) return;
    if (cursor * row < box.scrollTop) box.scrollTop = cursor * row;
    if ((cursor + 1) * row > box.scrollTop + box.clientHeight) box.scrollTop = (cursor + 1) * row - box.clientHeight;
    // The browser's own scrolling would put the row somewhere else than the two lines above.
    box.querySelector<HTMLElement>(`[data-row="${cursorId}"]`)?.focus({ preventScroll: true });
  }, [moves]);
}

/** What follows the last row: more is coming, more failed, or that was all. */
function ListEnd({ inbox }: { inbox: Inbox }) {
  if (inbox.more.value === "loading") return <div class="boot-bar" role="status" aria-label={t.common.loading} />;
  if (inbox.more.value === "failed") {
    return (
      <p class="list-end" role="alert">
        {t.inbox.moreFailed}{" "}
        <button type="button" class="link" onClick={() => inbox.loadMore()}>{t.common.retry}</button>
      </p>
    );
  }
  return inbox.rows.value.cursor ? null : <p class="list-end">{t.inbox.end}</p>;
}

/** The cursor follows the focus, so that Tab, click and arrow keys agree on one row. */
function FocusTracker({ scroller, onCursor }: { scroller: { current: HTMLDivElement | null }; onCursor(id: string): void }) {
  useEffect(() => {
    // On the box and not on each row: rows come and go with every scroll.
    const box = scroller.current;
    const follow = (event: FocusEvent): void => {
      const id = event.target instanceof HTMLElement ? event.target.dataset["row"] : undefined;
      if (id) onCursor(id);
    };
    box?.addEventListener("focusin", follow);
    return () => box?.removeEventListener("focusin", follow);
  });
  return null;
}
