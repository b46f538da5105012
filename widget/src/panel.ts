import type { Outcome } from "./delivery";
import { focusIsFree, h, icon } from "./dom";
import { createForm, type Form, type FormOptions } from "./form";
import { CHECK, CLOCK, CLOSE } from "./icons";

/** What takes the form's place once a message is out of the visitor's hands. */
export type Result = Exclude<Outcome, { state: "refused" }>;

export interface Panel {
  el: HTMLElement;
  focus(): void;
  /** The form, while it is in view. */
  form(): Form | undefined;
  /** Undefined goes back to the form, which is `busy` while what it held is under way. Focus goes along if it is ours to move. */
  show(result?: Result, busy?: boolean): void;
}

export interface PanelOptions extends FormOptions {
  onAgain(): void;
  onClose(): void;
}

/** A dialog that leaves the page usable: not modal, no focus trap, and Esc closes it. */
export function createPanel(options: PanelOptions): Panel {
  const { config, onClose, onAgain } = options;
  const { strings } = config;
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
  const focus = () => body.querySelector<HTMLElement>("textarea,h3")!.focus();

  function show(result?: Result, busy = false): void {
    const free = focusIsFree();
    form = result ? undefined : createForm(options);
    form?.busy(busy);
    body.replaceChildren(form ? form.el : outcome(result!));
    if (free && !el.hidden) focus();
    el.dataset.state = result?.state || "form";
  }

  /** Kept for later must never be mistaken for sent: other words, icon and colour. */
  function outcome(result: Result): HTMLElement {
    const sent = result.state === "sent";
    const heading = h("h3", { tabindex: "-1" }, sent ? strings.sentTitle : strings.keptTitle);
    const again = h("button", { class: "again" }, strings.another);
    again.addEventListener("click", onAgain);
    const words = sent ? config.texts.thanks || strings.sent : result.durable ? strings.kept : strings.keptOpen;
    return h("div", { class: "result" }, icon(sent ? CHECK : CLOCK), heading, h("p", {}, words), again);
  }

  close.addEventListener("click", onClose);
  el.addEventListener("keydown", (event) => {
    // 229: Safari reports the Esc that ends a composition this way.
    if (event.key !== "Escape" || event.isComposing || event.keyCode === 229) return;
    // Otherwise the browser would close the page's own modal dialog, too.
    event.preventDefault();
    onClose();
  });
  return { el, focus, form: () => form, show };
}
