import { useSignal } from "@preact/signals";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import type { Feedback } from "../session/types";

/** A reference to the element that scrolls; null until it is mounted. */
export type Box = { readonly current: HTMLDivElement | null };

/** The rows to draw, and where. Positions are indexes into all loaded rows, sizes are pixels. */
export interface RowWindow {
  shown: readonly { item: Feedback; at: number }[];
  /** The index of the cursor's row; -1 without one. */
  cursor: number;
  row: number;
  /** The index of the first row that is drawn, and that after the last one. */
  first: number;
  end: number;
  /** To be called on every scroll. Returns how far from the top that is. */
  onScroll(): number;
}

/** Rows drawn above and below what is visible, so that a quick scroll shows no white. */
const margin = 8;
/** The height of a row in `rem`; the style sheet's --row says the same. */
const rowRem = 3.75;

export function useWindow(scroller: Box, items: readonly Feedback[], dropped: number, cursorId: string | null): RowWindow {
  // What the first drawing assumes; it is measured before anybody sees it.
  const view = useSignal({ top: 0, height: 800, row: 60 });
  const { top, height, row } = view.value;
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
  useAnchor(scroller, items, dropped, top, row);

  const first = Math.max(0, Math.min(items.length, Math.floor(top / row) - margin - dropped));
  const end = Math.max(first, Math.min(items.length, Math.ceil((top + height) / row) + margin - dropped));
  const shown = items.slice(first, end).map((item, at) => ({ item, at: first + at }));
  // The row that holds the focus stays in the document while it is scrolled out of sight; the focus would be lost with it.
  const cursor = items.findIndex((item) => item.id === cursorId);
  const kept = items[cursor];
  if (kept && cursor < first) shown.unshift({ item: kept, at: cursor });
  if (kept && cursor >= end) shown.push({ item: kept, at: cursor });

  const onScroll = (): number => {
    const now = scroller.current?.scrollTop ?? 0;
    view.value = { ...view.peek(), top: now };
    return now;
  };
  return { shown, cursor, row, first, end, onScroll };
}

/**
 * Rows that vanish or come above the visible ones move the scroll position with them, not the rows under the eye. The
 * browser's own anchoring is off: it cannot follow rows that are placed absolutely.
 */
function useAnchor(scroller: Box, items: readonly Feedback[], dropped: number, top: number, row: number): void {
  const anchor = useRef<{ id: string; at: number } | null>(null);
  useLayoutEffect(() => {
    const box = scroller.current;
    const old = anchor.current;
    if (box && old && box.scrollTop > 0) {
      const at = items.findIndex((item) => item.id === old.id);
      if (at >= 0 && at + dropped !== old.at) box.scrollTop += (at + dropped - old.at) * row;
    }
    const at = Math.floor((box?.scrollTop ?? 0) / row);
    const item = items[at - dropped];
    anchor.current = item ? { id: item.id, at } : null;
  }, [items, top]);
}
