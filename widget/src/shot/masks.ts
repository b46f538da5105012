/** What no picture may show: what the page has marked, and passwords. */
const MASKED = "[data-earshot-mask],input[type=password]";

/**
 * Makes what is masked invisible until the returned function is called. The elements themselves are not drawn, so that
 * it holds whatever lies above them and whatever is captured, the page's tab or the whole screen.
 */
export function mask(): () => void {
  const undo: (() => void)[] = [];
  for (const el of find(document)) {
    const { style } = el;
    const before = ["opacity", "transition"].map((name) => [name, style.getPropertyValue(name), style.getPropertyPriority(name)] as const);
    style.setProperty("transition", "none", "important");
    // Not visibility, which what is inside could undo.
    style.setProperty("opacity", "0", "important");
    undo.push(() => before.forEach((property) => style.setProperty(...property)));
  }
  return () => undo.forEach((again) => again());
}

function find(root: ParentNode): HTMLElement[] {
  const found = [...root.querySelectorAll<HTMLElement>(MASKED)];
  for (const { shadowRoot } of root.querySelectorAll("*")) if (shadowRoot) found.push(...find(shadowRoot));
  return found;
}
