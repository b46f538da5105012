export type Child = Node | string | undefined | false;

/**
 * An element with attributes and children. Text becomes text nodes and nothing is ever parsed, so this works under
 * Trusted Types and strangers' words stay words.
 */
export function h<T extends keyof HTMLElementTagNameMap>(
  tag: T,
  attributes: Record<string, string | undefined> = {},
  ...children: Child[]
): HTMLElementTagNameMap[T] {
  return fill(document.createElement(tag), attributes, children);
}

/** A 20 × 20 line icon from path data. */
export function icon(path: string): SVGElement {
  const ns = "http://www.w3.org/2000/svg";
  const shape = fill(document.createElementNS(ns, "path"), { d: path }, []);
  return fill(document.createElementNS(ns, "svg"), { viewBox: "0 0 20 20", "aria-hidden": "true" }, [shape]);
}

function fill<E extends Element>(el: E, attributes: Record<string, string | undefined>, children: Child[]): E {
  for (const name in attributes) if (attributes[name] !== undefined) el.setAttribute(name, attributes[name]!);
  el.append(...(children.filter(Boolean) as (Node | string)[]));
  return el;
}
