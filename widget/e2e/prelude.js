// Put before every page's own scripts: how the tests look at a page, through shadow roots.
(() => {
  // "a >>> b" finds b within the shadow root of a.
  const all = (path) => {
    let roots = [document];
    const steps = path.split(" >>> ");
    steps.forEach((step, at) => {
      const found = roots.flatMap((root) => [...root.querySelectorAll(step)]);
      roots = at < steps.length - 1 ? found.map((el) => el.shadowRoot).filter(Boolean) : found;
    });
    return roots;
  };
  const shown = (el) => el.checkVisibility({ checkVisibilityCSS: true, checkOpacity: true, contentVisibilityAuto: true });
  const find = (path) => all(path).filter(shown);
  // Without what isolates a name within a sentence: nobody sees it.
  const words = (el) => (el.innerText ?? el.textContent).replace(/[\u2068\u2069]/g, "").replace(/\s+/g, " ").trim();
  const box = (path) => {
    const el = find(path)[0];
    if (!el) return null;
    const { x, y, width, height } = el.getBoundingClientRect();
    return { x, y, width, height };
  };
  const focused = () => {
    let el = document.activeElement;
    while (el?.shadowRoot?.activeElement) el = el.shadowRoot.activeElement;
    return el;
  };
  Object.defineProperty(window, "e2e", {
    value: {
      all,
      find,
      box,
      focused,
      count: (path) => find(path).length,
      text: (path) => find(path).map(words).join(" | "),
    },
  });
})();
