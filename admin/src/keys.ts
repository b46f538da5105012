import { useEffect } from "preact/hooks";

/** Keys by `KeyboardEvent.key`; a sequence is written with a blank (`g i`). */
export type Bindings = Readonly<Record<string, (event: KeyboardEvent) => void>>;

/** How long the second key of a sequence may take. */
const sequenceMs = 1_000;

interface Keys {
  /** Adds bindings; the youngest layer that knows a key gets it. Returns the way out. */
  layer(bindings: Bindings): () => void;
}

/** Keys that are no character and therefore stay when single keys are turned off (WCAG 2.1.4 is about characters). */
const named = new Set(["Escape", "Enter", "ArrowUp", "ArrowDown", "Home", "End"]);

export function createKeys(target: Document, singleKeys: () => boolean): Keys {
  const layers: Bindings[] = [];
  let first = "";
  let firstAt = 0;

  target.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.isComposing || event.ctrlKey || event.metaKey || event.altKey) return;
    // What lies on top has keys of its own, and the page below must not move under it.
    if (target.querySelector("dialog[open], :popover-open")) return;
    const isNamed = named.has(event.key);
    if (!isNamed && (!singleKeys() || writes(event.target))) return;
    if (isNamed && event.key !== "Escape" && !leavesKeys(event.target)) return;
    const pair = event.timeStamp - firstAt < sequenceMs ? `${first} ${event.key}` : "";
    // A pair that nobody knows is two single keys.
    const name = layers.some((layer) => layer[pair]) ? pair : event.key;
    first = name === pair ? "" : event.key;
    firstAt = event.timeStamp;
    const run = layers.findLast((layer) => layer[name])?.[name];
    if (!run) return;
    event.preventDefault();
    run(event);
  });

  return {
    layer(bindings) {
      layers.push(bindings);
      return () => void layers.splice(layers.indexOf(bindings), 1);
    },
  };
}

/** Whether keys are letters there. A select is among them: letters choose its options. */
function writes(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  if (target instanceof HTMLInputElement) return !["checkbox", "radio", "button", "range", "color"].includes(target.type);
  return target.isContentEditable || target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement;
}

/** Elsewhere Enter and the arrows have a meaning of their own: they press, choose or scroll. */
function leavesKeys(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target === target.ownerDocument.body || target.matches("main, [data-row], [data-keys]"));
}

/** Bound anew with every drawing, so that the bindings always see the present props. */
export function useKeys(keys: Keys, bindings: Bindings): void {
  useEffect(() => keys.layer(bindings));
}

export type { Keys };
