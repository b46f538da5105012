export type Child = Node | string | undefined | false;

/**
 * An element with attributes and children. Text becomes text nodes and nothing is ever parsed, so this works under
 * Trusted Types and strangers' words stay words.
 */
export function h<T extends keyof HTMLElementTagNameMap>(
  tag: T,
  attributes: Record<string, string> = {},
  ...children: Child[]
): HTMLElementTagNameMap[T] {
  return fill(document.createElement(tag), attributes, children);
}

/** A 20 × 20 line icon from path data. */
export function icon(d: string): SVGElement {
  const make = (tag: string, attributes: Record<string, string>, ...children: Child[]) =>
    fill(document.createElementNS("http://www.w3.org/2000/svg", tag) as SVGElement, attributes, children);
  return make("svg", { viewBox: "0 0 20 20", "aria-hidden": "true" }, make("path", { d }));
}

function fill<E extends Element>(el: E, attributes: Record<string, string>, children: Child[]): E {
  for (const name in attributes) el.setAttribute(name, attributes[name]!);
  el.append(...(children.filter(Boolean) as (Node | string)[]));
  return el;
}
