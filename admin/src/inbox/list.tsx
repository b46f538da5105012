import { useSignal } from "@preact/signals";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import { inboxHref } from "../router";
import type { FeedbackQuery } from "../session/api";
import { t } from "../text/en";
import { Icon } from "../ui/icons";
import { useMinute } from "../ui/minute";
import type { Inbox } from "./inbox";
import { writeQuery } from "./query";
import { Row } from "./row";

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
  onCursor(id: string): void;
}

/** Rows drawn above and below what is visible, so that a quick scroll shows no white. */
const margin = 8;
/** Ask for the next page this many rows before the end. */
const ahead = 15;

/** The window over the loaded rows: about thirty are in the document, however many there are. */
export function FeedbackList({ inbox, projectId, query, selectedId, cursorId, moves, hold, onCursor }: ListProps) {
  const scroller = useRef<HTMLDivElement>(null);
  const view = useSignal({ top: 0, height: 800, row: 60 });
  const now = useMinute();
  const { items, waiting, total, atLeast } = inbox.rows.value;
  const { top, height, row } = view.value;
  const anchor = useRef<{ id: string; at: number } | null>(null);

  useEffect(() => {
    const box = scroller.current;
    if (!box) return;
    const measure = (): void => {
      // Rows are sized in rem, so that text zoom enlarges them; pixels are known only here.
      const row = parseFloat(getComputedStyle(document.documentElement).fontSize) * rowRem;
      view.value = { top: box.scrollTop, height: box.clientHeight, row };
    };
    const observer = new ResizeObserver(measure);
    observer.observe(box);
    measure();
    return () => observer.disconnect();
  }, []);

  const first = Math.max(0, Math.floor(top / row) - margin);
  const last = Math.min(items.length, Math.ceil((top + height) / row) + margin);
  const shown = items.slice(first, last).map((item, at) => ({ item, at: first + at }));
  // The row that holds the focus stays in the document while it is scrolled out of sight; the focus would be lost with it.
  const cursor = items.findIndex((item) => item.id === cursorId);
  const kept = items[cursor];
  if (kept && cursor < first) shown.unshift({ item: kept, at: cursor });
  if (kept && cursor >= last) shown.push({ item: kept, at: cursor });

  useLayoutEffect(() => {
    // Rows that vanish or come above the visible ones move the scroll position with them, not the rows under the eye.
    const box = scroller.current;
    const old = anchor.current;
    if (box && old && box.scrollTop > 0) {
      const at = items.findIndex((item) => item.id === old.id);
      if (at >= 0 && at !== old.at) box.scrollTop += (at - old.at) * row;
    }
    const at = Math.floor((box?.scrollTop ?? 0) / row);
    anchor.current = items[at] ? { id: items[at].id, at } : null;
  }, [items, top]);

  useLayoutEffect(() => {
    const box = scroller.current;
    if (!box || moves === 0 || cursor < 0) return;
    if (cursor * row < box.scrollTop) box.scrollTop = cursor * row;
    if ((cursor + 1) * row > box.scrollTop + box.clientHeight) box.scrollTop = (cursor + 1) * row - box.clientHeight;
    box.querySelector<HTMLElement>(`[data-row="${cursorId}"]`)?.focus({ preventScroll: true });
  }, [moves]);

  useEffect(() => {
    if (last + ahead > items.length && inbox.more.value === "ready") void inbox.loadMore();
  });

  // Asked for, so the list may move: to the top, where the new items are.
  const showWaiting = (): void => {
    inbox.release();
    scroller.current?.scrollTo({ top: 0 });
  };
  // Back at the top, nothing is pushed away any more, and what waited may come in.
  const onScroll = (): void => {
    const box = scroller.current;
    if (!box) return;
    view.value = { ...view.peek(), top: box.scrollTop };
    hold.scrolled = box.scrollTop > 4;
    if (!hold.scrolled && !hold.pointed) inbox.release();
  };

  const search = writeQuery(query);
  // -1 says that the size is not known (WAI-ARIA); a wrong number would be worse.
  const setSize = total === null || atLeast ? -1 : Math.max(items.length, total - waiting.length);
  return (
    <div class="list-area">
      <div aria-live="polite" class="arrivals">
        {waiting.length > 0 && (
          <button type="button" class="pill" data-testid="waiting" onClick={showWaiting}>
            <Icon name="up" />
            {t.inbox.arrived(waiting.length)}
          </button>
        )}
      </div>
      <div
        class="list-scroll"
        ref={scroller}
        onScroll={onScroll}
        onPointerEnter={(event) => (hold.pointed = event.pointerType === "mouse")}
        onPointerLeave={() => {
          hold.pointed = false;
          if (!hold.scrolled) inbox.release();
        }}
      >
        <ul class="rows" style={{ "--rows": `${items.length * row}px` }} aria-label={t.inbox.list} data-testid="rows">
          {shown.map(({ item, at }) => (
            <Row
              key={item.id}
              item={item}
              href={inboxHref(projectId, item.id, search)}
              position={at + 1}
              setSize={setSize}
              top={at * row}
              selected={item.id === selectedId}
              tabbable={cursor >= 0 ? at === cursor : at === 0}
              now={now}
            />
          ))}
        </ul>
        <ListEnd inbox={inbox} />
      </div>
      <FocusTracker scroller={scroller} onCursor={onCursor} />
    </div>
  );
}

/** The height of a row in `rem`; the style sheet's --row says the same. */
const rowRem = 3.75;

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
