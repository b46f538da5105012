export type Child = Node | string | undefined | false;

/** By name: a text is an attribute, a function hears the event. */
type Attributes = Record<string, string | ((event: never) => void)>;

/**
 * An element with attributes, listeners and children. Text becomes text nodes and nothing is ever parsed, so this works under
 * Trusted Types and strangers' words stay words.
 */
export function h<T extends keyof HTMLElementTagNameMap>(
  tag: T,
  attributes: Attributes = {},
  ...children: Child[]
): HTMLElementTagNameMap[T] {
  return fill(document.createElement(tag), attributes, children);
}

/** A 20 × 20 line icon from path data. */
export function icon(d: string): SVGElement {
  const make = (tag: string) => document.createElementNS("http://www.w3.org/2000/svg", tag) as SVGElement;
  return fill(make("svg"), { viewBox: "0 0 20 20", "aria-hidden": "true" }, [fill(make("path"), { d }, [])]);
}

/** Takes over the words of a tree of the same shape; the fields stay, with focus, selection and a composition under way. */
export function reword(old: Element, fresh: Element): void {
  for (const { name, value } of fresh.attributes || []) old.setAttribute(name, value);
  old.nodeValue = fresh.nodeValue;
  fresh.childNodes.forEach((node, at) => reword(old.childNodes[at] as Element, node as Element));
}

/** Whether focus is ours to move. The panel is not modal: a visitor who has gone on in the page stays there. */
export const focusIsFree = (): boolean => /^(earshot-widget|body)$/i.test(document.activeElement?.tagName!);

/** Hears events of the whole page before the page itself does, until `stop`. */
export function listen(types: string, listener: (event: Event) => void, stop?: AbortSignal): void {
  for (const type of types.split(" ")) addEventListener(type, listener, { capture: true, signal: stop! });
}

function fill<E extends Element>(el: E, attributes: Attributes, children: Child[]): E {
  // Own ones alone: a page may have put anything on Object.prototype.
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "string") el.setAttribute(name, value);
    else el.addEventListener(name, value as EventListener);
  }
  el.append(...(children.filter(Boolean) as (Node | string)[]));
  return el;
}
