import { useSignal, type Signal } from "@preact/signals";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import { t } from "../text/en";
import { announce } from "../ui/announce";
import type { Conversation } from "./conversation";
import { moment } from "./rows";
import { endOf } from "./thread";

type Box = { readonly current: HTMLDivElement | null };

/** Counts as the end: nobody scrolls to the pixel. */
const near = 32;

/** On a low screen the answer scrolls along with the conversation; see the style sheet. */
const outside = ".item";
const scroller = (box: HTMLElement | null): Element | null => {
  const outer = box?.closest(outside);
  return outer && outer.scrollHeight > outer.clientHeight + 1 ? outer : box;
};

export interface ThreadScroll {
  /** Messages that came in below what is on screen. */
  below: Signal<number>;
  onScroll(): void;
  toEnd(): void;
}

/**
 * Follows the end of a conversation for as long as it is on screen, and holds the place of who has scrolled away from it.
 * An item opens at its end: what was said last is what there is to answer.
 */
export function useThreadScroll(box: Box, conversation: Conversation, me: string): ThreadScroll {
  const below = useSignal(0);
  const follow = useRef(true);
  const before = useRef<{ start: string; end: string; height: number } | null>(null);
  const { items } = conversation.thread.value;
  const outgoing = conversation.outgoing.value;
  // A later read is quiet: what is on screen stays there meanwhile.
  const ready = conversation.load.value === "ready" || items.length > 0;

  const toEnd = (): void => {
    follow.current = true;
    const el = scroller(box.current);
    if (el) el.scrollTop = el.scrollHeight;
    look();
  };
  const look = (): void => {
    const el = scroller(box.current);
    if (!el) return;
    follow.current = el.scrollHeight - el.scrollTop - el.clientHeight < near;
    if (!follow.current || document.hidden) return;
    below.value = 0;
    conversation.sawEnd();
  };

  useLayoutEffect(() => {
    const el = scroller(box.current);
    if (!el || !ready) return;
    const old = before.current;
    const [start, end] = [items[0] ? moment(items[0]) : "", endOf(conversation.thread.peek())];
    // Earlier ones came in above; the browser's own anchoring is not in every browser and is turned off.
    if (old && old.start !== start && old.end === end && !follow.current) el.scrollTop += el.scrollHeight - old.height;
    const others = old ? items.filter((item) => moment(item) > old.end && item.author.user_id !== me) : [];
    const latest = others.at(-1);
    if (latest) announce((latest.visibility === "internal" ? t.conversation.noted : t.conversation.from)(latest.author.name || t.inbox.visitor));
    if (follow.current && (items.length > 0 || outgoing.length > 0)) toEnd();
    else below.value += others.length;
    look();
    before.current = { start, end, height: el.scrollHeight };
  }, [items, outgoing, ready]);

  useEffect(() => {
    const el = box.current;
    if (!el) return;
    // The box shrinks while an answer grows: its end is to stay in sight.
    const observer = new ResizeObserver(() => follow.current && before.current?.end && toEnd());
    observer.observe(el);
    const outer = el.closest(outside);
    outer?.addEventListener("scroll", look, { passive: true });
    document.addEventListener("visibilitychange", look);
    return () => {
      observer.disconnect();
      outer?.removeEventListener("scroll", look);
      document.removeEventListener("visibilitychange", look);
    };
  }, []);

  return { below, onScroll: look, toEnd };
}
