import type { Config, Strings } from "./config";
import type { Outcome } from "./delivery";
import { h, icon } from "./dom";
import { createForm, type Draft, type Form } from "./form";
import { CLOSE } from "./icons";
import { createResult, type Result } from "./result";

export interface Panel {
  el: HTMLElement;
  destroy(): void;
  focus(): void;
  /** The form in view, if it is the form. */
  form(): Form | undefined;
  /** Undefined goes back to the form. */
  show(outcome?: Exclude<Outcome, { state: "refused" }>): void;
}

export interface PanelOptions {
  config: Config;
  strings: Strings;
  draft: Draft;
  onInput(): void;
  onSubmit(): void;
  onAgain(): void;
  onClose(): void;
}

/** A dialog that leaves the page usable: not modal, no focus trap, and Esc closes it. */
export function createPanel(options: PanelOptions): Panel {
  const { config, strings, onClose, onAgain } = options;
  const close = h("button", { type: "button", class: "close", "aria-label": strings.close, "data-part": "close" }, icon(CLOSE));
  close.addEventListener("click", onClose);
  // One polite region for the whole panel; it exists before it speaks, or screen readers miss the first words.
  const live = h("p", { class: "sr", role: "status" });
  const body = h("div", { class: "body" });
  const el = h(
    "section",
    { class: "panel", role: "dialog", "aria-modal": "false", "aria-labelledby": "t", "data-part": "panel" },
    h("header", {}, h("h2", { id: "t" }, config.texts.title || strings.title), close),
    body,
    live,
  );
  let form: Form | undefined;
  let view: Form | Result;

  function show(outcome?: Exclude<Outcome, { state: "refused" }>): void {
    live.textContent = "";
    form = outcome ? undefined : createForm({ ...options, say: (text) => (live.textContent = text) });
    view = form || createResult({ config, strings, outcome: outcome!, onAgain });
    body.replaceChildren(view.el);
    el.dataset.state = outcome ? outcome.state : "form";
  }

  el.addEventListener("keydown", (event) => {
    // 229: Safari reports the Esc that ends a composition this way.
    if (event.key !== "Escape" || event.isComposing || event.keyCode === 229) return;
    // Otherwise the browser would close the page's own modal dialog, too.
    event.preventDefault();
    onClose();
  });
  show();

  return { el, destroy: () => el.remove(), focus: () => view.focus(), form: () => form, show };
}
