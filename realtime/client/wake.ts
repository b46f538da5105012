/** Calls back on good news: the network is back, or the page is looked at again. Returns the way out. */
export function onWake(work: () => void, page: Pick<Window, "addEventListener" | "document"> = window): () => void {
  const stop = new AbortController();
  const visible = (): void => {
    if (!page.document.hidden) work();
  };
  page.addEventListener("online", work, { signal: stop.signal });
  page.addEventListener("pageshow", visible, { signal: stop.signal });
  page.document.addEventListener("visibilitychange", visible, { signal: stop.signal });
  return () => stop.abort();
}
