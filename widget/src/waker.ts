import type { Config } from "./config";
import { listen } from "./dom";

export interface WakerOptions {
  /** The page's own element for it was clicked. */
  open(kind: string | undefined, from: Element): void;
  flush(): void;
  /** The visitor's click, touch or key. */
  greet(): void;
  /** The page is in view and there are good news, or may be: what is connected may be so in name only. */
  back(): void;
  /** The page is left; it may return from the bfcache. */
  leave(): void;
}

/**
 * What happens on the page that concerns the widget. Nothing is read or sent before the visitor acts: the first
 * interaction wakes the outbox, after the page has answered it, and only then do good news matter to it. A reload is an
 * act, too.
 */
export function startWaker(config: Config, { open, flush, greet, leave, back }: WakerOptions, stop: AbortSignal): void {
  let awake = false;
  let openers = "[data-earshot-open]";
  try {
    document.querySelector(config.selector || openers);
    if (config.selector) openers += `,${config.selector}`;
  } catch (error) {
    // Not a selector: said once, and left out.
    console.warn(error);
  }

  function wake(event?: Event): void {
    if (!awake) setTimeout(flush);
    awake = true;
    // A page may scroll by itself.
    if (event && event.type !== "scroll") setTimeout(greet);
  }

  function news({ type }: Event): void {
    // A page that is left is hidden after it was told so: it must not begin what it cannot end.
    if (awake && !(document.hidden && type === "visibilitychange")) flush();
    if (!document.hidden) back();
  }

  function click(event: Event): void {
    const [origin] = event.composedPath();
    const from = (origin as Element).closest?.(openers);
    if (from) open((from as HTMLElement).dataset.earshotOpen || undefined, from);
  }

  listen("pointerdown keydown scroll", wake, stop);
  listen("pagehide", leave, stop);
  listen("online pageshow visibilitychange", news, stop);
  listen("click", click, stop);
  // A reload is the visitor's act: 1 in the oldest notation, which is the shortest.
  if (performance.navigation?.type === 1) wake();
}
