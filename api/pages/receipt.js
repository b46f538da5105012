// Keeps the conversation and the status of the page up to date while it is looked at.
(() => {
  const everyMs = 8000;
  const live = document.getElementById("live");
  if (!live) return;
  const look = async () => {
    try {
      const answer = await fetch(location.pathname, { headers: { Accept: "text/html" }, cache: "no-store", signal: AbortSignal.timeout(everyMs) });
      if (answer.status === 404) return location.reload();
      if (!answer.ok) return;
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("live");
      if (fresh && fresh.textContent !== live.textContent) live.replaceChildren(...document.importNode(fresh, true).childNodes);
    } catch {
      // The next look may do better.
    }
  };
  setInterval(() => document.visibilityState === "visible" && look(), everyMs);
  document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && look());
})();
