/** The keys of a box that is written in: Ctrl/⌘+Enter sends, Esc leaves. Not while an input method still composes. */
export function writingKeys(send: () => void, leave: () => void): (event: KeyboardEvent) => void {
  return (event) => {
    if (event.isComposing) return;
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) send();
    else if (event.key === "Escape") leave();
    else return;
    // The page has a meaning of its own for Escape: it would close the item as well.
    event.preventDefault();
  };
}
