import { hexColor, contrast, onAccent } from "./color";
import type { Config } from "./config";
import { h } from "./dom";
import { direction } from "./locale";
import css from "./style.css?inline";

/** Backgrounds of the two themes, as in the style sheet; a focus ring has to stand out from them. */
const BACKGROUND = { light: "#ffffff", dark: "#17181c" };

export interface Host {
  el: HTMLElement;
  /** Everything visible goes in here. */
  root: HTMLElement;
  /** While the panel is open: guard focus against the page, and follow a modal dialog into the top layer. */
  engage(open: boolean): void;
  theme(theme: string): void;
  locale(lang: string): void;
  destroy(): void;
}

/**
 * The widget's place in a page that may do anything: an element outside <body> (which frameworks replace and modal
 * libraries hide) with an open shadow root, re-attached whenever it is thrown out.
 */
export function createHost(config: Config, nonce: string | undefined): Host {
  const el = document.createElement("earshot-widget");
  const shadow = el.attachShadow({ mode: "open" });
  const root = h("div", { class: "root", "data-position": config.position });
  const scheme = matchMedia("(prefers-color-scheme: dark)");
  let theme: string = config.theme;
  let engaged = false;
  adoptStyle(shadow, nonce);
  shadow.append(root);
  if (config.zIndex) el.style.setProperty("--earshot-z", config.zIndex);

  function paint(): void {
    const dark = theme === "dark" || (theme === "auto" && scheme.matches);
    const accent = hexColor(config.accent) || "#4f46e5";
    const background = BACKGROUND[dark ? "dark" : "light"];
    root.toggleAttribute("data-dark", dark);
    root.style.setProperty("--a", accent);
    root.style.setProperty("--o", onAccent(accent));
    // 3:1 is what WCAG asks of a control's outline; a pale accent on white falls short of it.
    root.style.setProperty("--ring", contrast(accent, background) >= 3 ? "var(--accent)" : "var(--fg)");
  }

  /** A modal dialog makes all else inert, so an open panel has to be inside it. Moving an element loses its focus. */
  function attach(): void {
    const dialogs = engaged ? document.querySelectorAll("dialog:modal") : [];
    const home = dialogs[dialogs.length - 1] || document.documentElement;
    if (el.parentNode === home) return;
    const focused = shadow.activeElement as HTMLElement | null;
    home.append(el);
    focused?.focus();
  }

  // The page's shortcuts stay quiet while somebody types here, and its focus traps hear nothing.
  const quiet = (event: Event) => event.stopPropagation();
  const QUIET = ["keydown", "keyup", "keypress", "focusin", "focusout"];
  for (const type of QUIET) el.addEventListener(type, quiet);

  // A trap that watches its own focusout, or listens in the capture phase, would pull focus back out of the panel.
  const guard = (event: Event) => {
    const { target, relatedTarget } = event as FocusEvent;
    if (target === el || relatedTarget === el) event.stopImmediatePropagation();
  };

  const observer = new MutationObserver(attach);
  /** The whole tree is watched only while the panel is open: a page may open or remove a dialog meanwhile. */
  function observe(): void {
    observer.disconnect();
    observer.observe(document, { childList: true, subtree: engaged, ...(engaged && { attributeFilter: ["open"] }) });
    if (!engaged) observer.observe(document.documentElement, { childList: true });
  }
  scheme.addEventListener("change", paint);
  paint();
  observe();
  attach();

  return {
    el,
    root,
    engage(open) {
      engaged = open;
      for (const type of ["focusin", "focusout"]) {
        if (open) addEventListener(type, guard, true);
        else removeEventListener(type, guard, true);
      }
      observe();
      attach();
    },
    theme(next) {
      theme = next;
      paint();
    },
    locale(lang) {
      root.lang = lang;
      root.dir = direction(lang);
    },
    destroy() {
      this.engage(false);
      observer.disconnect();
      scheme.removeEventListener("change", paint);
      el.remove();
    },
  };
}

/** Constructed style sheets are outside style-src; the element with the page's nonce is for browsers without them. */
function adoptStyle(shadow: ShadowRoot, nonce: string | undefined): void {
  try {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(css);
    shadow.adoptedStyleSheets = [sheet];
  } catch {
    const style = h("style", {}, css);
    if (nonce) style.nonce = nonce;
    shadow.append(style);
  }
}
