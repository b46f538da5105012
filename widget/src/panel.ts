import type { Outcome } from "./delivery";
import { focusIsFree, h, icon } from "./dom";
import { createForm, type Form, type FormOptions } from "./form";
import { CHECK, CLOCK, CLOSE } from "./icons";

/** What takes the form's place: what became of a message that is out of the visitor's hands, or their conversations. */
export type View = Exclude<Outcome, { state: "refused" }> | { state: "talk" };

export interface Panel {
  el: HTMLElement;
  focus(): void;
  /** The form, while it is in view. */
  form(): Form | undefined;
  /**
   * Undefined goes back to the form, which is `busy` while what it held is under way. Focus goes along if it is ours to
   * move. Returns what is in view: for conversations it is empty, and theirs to fill.
   */
  show(view?: View, busy?: boolean): HTMLElement;
}

export interface PanelOptions extends FormOptions {
  onAgain(): void;
  onClose(): void;
}

/** Where the script for conversations puts a way to them. */
const way = () => h("div", { class: "way" });

/** A dialog that leaves the page usable: not modal, no focus trap, and Esc closes it. */
export function createPanel(options: PanelOptions): Panel {
  const { config, onClose, onAgain } = options;
  const { strings } = config;
  const close = h("button", { class: "close", "aria-label": strings.close, click: onClose }, icon(CLOSE));
  const title = h("h2", { id: "title" });
  const body = h("div", { class: "body" });
  const el = h(
    "section",
    { class: "panel", role: "dialog", "aria-modal": "false", "aria-labelledby": "title", keydown },
    h("header", {}, title, way(), close),
    body,
  );
  let form: Form | undefined;
  const focus = () => body.querySelector<HTMLElement>("textarea,[tabindex]")!.focus();

  function show(view?: View, busy = false): HTMLElement {
    const free = focusIsFree();
    form = view ? undefined : createForm(options);
    form?.busy(busy);
    title.textContent = view ? config.texts.launcher || strings.launcher : config.texts.title || strings.title;
    const content = form ? form.el : view!.state === "talk" ? h("div", { class: "talk", tabindex: "-1" }) : outcome(view!);
    body.replaceChildren(content);
    if (free && !el.hidden) focus();
    el.dataset.state = view?.state || "form";
    return content;
  }

  /** Kept for later must never be mistaken for sent: other words, icon and colour. */
  function outcome(result: View): HTMLElement {
    const sent = result.state === "sent";
    const kept = result.state === "kept" && result.durable ? strings.kept : strings.keptOpen;
    return h(
      "div",
      { class: "result" },
      icon(sent ? CHECK : CLOCK),
      h("h3", { tabindex: "-1" }, sent ? strings.sentTitle : strings.keptTitle),
      h("p", {}, sent ? config.texts.thanks || strings.sent : kept),
      way(),
      h("button", { class: "again", click: onAgain }, strings.another),
    );
  }

  function keydown(event: KeyboardEvent): void {
    // 229: Safari reports the Esc that ends a composition this way.
    if (event.key !== "Escape" || event.isComposing || event.keyCode === 229) return;
    // Otherwise the browser would close the page's own modal dialog, too.
    event.preventDefault();
    onClose();
  }

  return { el, focus, form: () => form, show };
}
