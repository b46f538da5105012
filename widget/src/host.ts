import { onAccent } from "./color";
import type { Config } from "./config";
import { h, listen } from "./dom";
import { direction } from "./locale";
import { launcherCSS } from "./styles";

export interface Host {
  el: HTMLElement;
  /** Everything visible goes in here. */
  root: HTMLElement;
  /** Adds a style sheet. A constructed one is no matter of the page's style-src. */
  style(css: string): void;
  /** While the panel is open: guard focus against the page, and follow a modal dialog into the top layer. */
  engage(open: boolean): void;
  /** Applies what the configuration says of colours, theme and place, and a language. */
  paint(lang: string): void;
  /** Not while the panel is open. */
  destroy(): void;
}

/**
 * The widget's place in a page that may do anything: an element outside <body> (which frameworks replace and modal
 * libraries hide) with an open shadow root, re-attached whenever it is thrown out.
 */
export function createHost(config: Config, stop: AbortSignal): Host {
  const el = document.createElement("earshot-widget");
  const shadow = el.attachShadow({ mode: "open" });
  const root = h("div");
  let engaged = false;
  shadow.append(root);

  function style(text: string): void {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(text);
    shadow.adoptedStyleSheets.push(sheet);
  }

  function paint(lang: string): void {
    const { accent, position, theme, zIndex } = config;
    root.lang = lang;
    root.dir = direction(lang);
    root.className = `root ${position}`;
    root.style.setProperty("--a", accent);
    root.style.setProperty("--o", onAccent(accent));
    root.style.colorScheme = theme === "auto" ? "light dark" : theme;
    if (zIndex) el.style.setProperty("--earshot-z", zIndex);
  }

  /** A modal dialog makes all else inert, so an open panel has to be inside it. Moving an element loses its focus. */
  function attach(): void {
    const home = (engaged && [...document.querySelectorAll("dialog:modal")].pop()) || document.documentElement;
    if (el.parentNode === home) return;
    const focused = shadow.activeElement as HTMLElement | null;
    home.append(el);
    focused?.focus();
  }

  // A trap that watches its own focusout, or listens in the capture phase, would pull focus back out of the panel.
  const guard = (event: Event) => {
    const { target, relatedTarget } = event as FocusEvent;
    if (engaged && (target === el || relatedTarget === el)) event.stopImmediatePropagation();
  };
  // The page's shortcuts stay quiet while somebody types here.
  for (const type of ["keydown", "keyup", "keypress", "focusin", "focusout"]) {
    el.addEventListener(type, (event) => event.stopPropagation());
  }

  const observer = new MutationObserver(attach);
  function engage(open: boolean): void {
    engaged = open;
    observer.disconnect();
    // The whole tree only while the panel is open, since a page may open or remove a dialog meanwhile.
    observer.observe(document, { childList: true, subtree: open, ...(open && { attributeFilter: ["open"] }) });
    if (!open) observer.observe(document.documentElement, { childList: true });
    attach();
  }

  style(launcherCSS);
  engage(false);
  listen("focusin focusout", guard, stop);

  return {
    el,
    root,
    style,
    engage,
    paint,
    destroy() {
      observer.disconnect();
      el.remove();
    },
  };
}
