import type { Config } from "./config";

export interface WakerOptions {
  /** The page's own element for it was clicked. */
  open(kind: string | undefined, from: Element): void;
  flush(): void;
  /** The page is left; it may return from the bfcache. */
  leave(): void;
  back(): void;
}

/**
 * What happens on the page that concerns the widget. Nothing is read or sent before the visitor acts: the first
 * interaction wakes the outbox, and only then do visibility and connection matter. A reload is the visitor's act, too.
 */
export function createWaker(config: Config, { open, flush, leave, back }: WakerOptions): { destroy(): void } {
  const stop = new AbortController();
  const FIRST = ["pointerdown", "keydown", "scroll"];
  let awake = false;

  function listen(target: EventTarget, type: string, listener: (event: Event) => void): void {
    target.addEventListener(type, listener, { capture: true, passive: true, signal: stop.signal });
  }

  function wake(): void {
    if (awake) return;
    awake = true;
    flush();
  }

  for (const type of FIRST) listen(window, type, wake);
  listen(window, "online", flush);
  listen(document, "visibilitychange", () => awake && !document.hidden && flush());
  listen(window, "pageshow", () => {
    if (awake) flush();
    back();
  });
  listen(window, "pagehide", leave);
  const [navigation] = performance.getEntriesByType("navigation") as PerformanceNavigationTiming[];
  if (navigation && navigation.type !== "navigate") wake();

  listen(window, "click", (event) => {
    const selector = "[data-earshot-open]" + (config.selector ? "," + config.selector : "");
    const [origin] = event.composedPath();
    const from = origin instanceof Element && origin.closest(selector);
    if (from) open(from.getAttribute("data-earshot-open") || undefined, from);
  });

  return { destroy: () => stop.abort() };
}
