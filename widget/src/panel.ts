import type { Outcome } from "./delivery";
import { h, icon } from "./dom";
import { createForm, type Form, type FormOptions } from "./form";
import { CHECK, CLOCK, CLOSE } from "./icons";

/** What takes the form's place once a message is out of the visitor's hands. */
export type Result = Exclude<Outcome, { state: "refused" }>;

export interface Panel {
  el: HTMLElement;
  focus(): void;
  /** The form, while it is in view. */
  form(): Form | undefined;
  /** Undefined goes back to the form. */
  show(result?: Result): void;
}

export interface PanelOptions extends FormOptions {
  onAgain(): void;
  onClose(): void;
}

/** A dialog that leaves the page usable: not modal, no focus trap, and Esc closes it. */
export function createPanel(options: PanelOptions): Panel {
  const { config, strings, onClose, onAgain } = options;
  const close = h("button", { class: "close", "aria-label": strings.close }, icon(CLOSE));
  const title = h("h2", { id: "title" }, config.texts.title || strings.title);
  const body = h("div", { class: "body" });
  const el = h(
    "section",
    { class: "panel", role: "dialog", "aria-modal": "false", "aria-labelledby": "title" },
    h("header", {}, title, close),
    body,
  );
  let form: Form | undefined;
  let view: { el: HTMLElement; focus(): void };

  function show(result?: Result): void {
    form = result ? undefined : createForm(options);
    view = form || outcome(result!);
    body.replaceChildren(view.el);
    el.dataset.state = result ? result.state : "form";
  }

  /** Kept for later must never be mistaken for sent: other words, icon and colour. */
  function outcome(result: Result) {
    const sent = result.state === "sent";
    const heading = h("h3", { tabindex: "-1" }, sent ? strings.sentTitle : strings.keptTitle);
    const again = h("button", { class: "again" }, strings.another);
    again.addEventListener("click", onAgain);
    const words = sent ? config.texts.thanks || strings.sent : result.durable ? strings.kept : strings.keptOpen;
    const content = h("div", { class: "result" }, icon(sent ? CHECK : CLOCK), heading, h("p", {}, words), again);
    return { el: content, focus: () => heading.focus() };
  }

  close.addEventListener("click", onClose);
  el.addEventListener("keydown", (event) => {
    // 229: Safari reports the Esc that ends a composition this way.
    if (event.key !== "Escape" || event.isComposing || event.keyCode === 229) return;
    // Otherwise the browser would close the page's own modal dialog, too.
    event.preventDefault();
    onClose();
  });
  show();

  return { el, focus: () => view.focus(), form: () => form, show };
}
