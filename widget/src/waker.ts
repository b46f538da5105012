import type { Config } from "./config";

export interface WakerOptions {
  /** The page's own element for it was clicked. */
  open(kind: string | undefined, from: Element): void;
  flush(): void;
  /** The page is visible again or the network is back: what is connected may be so in name only. */
  back(): void;
  /** The page is left; it may return from the bfcache. */
  leave(): void;
}

/**
 * What happens on the page that concerns the widget. Nothing is read or sent before the visitor acts: the first
 * interaction wakes the outbox, after the page has answered it, and only then does it matter that the page is visible again. A reload is an act, too.
 */
export function createWaker(config: Config, { open, flush, leave, back }: WakerOptions): { destroy(): void } {
  const stop = new AbortController();
  let awake = false;

  function listen(types: string, listener: (event: Event) => void): void {
    for (const type of types.split(" ")) addEventListener(type, listener, { capture: true, signal: stop.signal });
  }

  function wake(): void {
    if (!awake) setTimeout(flush);
    awake = true;
  }

  listen("pointerdown keydown scroll", wake);
  listen("online", () => {
    flush();
    back();
  });
  listen("pagehide", leave);
  listen("pageshow visibilitychange", () => {
    if (document.hidden) return;
    if (awake) flush();
    back();
  });
  listen("click", (event) => {
    const [origin] = event.composedPath();
    const from = (origin as Element).closest?.("[data-earshot-open]" + (config.selector ? `,${config.selector}` : ""));
    if (from) open(from.getAttribute("data-earshot-open") || undefined, from);
  });
  // A reload is the visitor's act: 1 in the oldest notation, which is the shortest.
  if (performance.navigation?.type === 1) wake();

  return { destroy: () => stop.abort() };
}
