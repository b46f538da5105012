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
  /** Whether there is a way to the conversations, and what it says of them. */
  news(known: boolean, words: string): void;
}

export interface PanelOptions extends FormOptions {
  /** To the conversations, to the one with the id or to all. */
  onTalk(id?: string): void;
  onAgain(): void;
  onClose(): void;
}

/** A dialog that leaves the page usable: not modal, no focus trap, and Esc closes it. */
export function createPanel(options: PanelOptions): Panel {
  const { config, onClose, onAgain, onTalk } = options;
  const { strings } = config;
  const close = h("button", { class: "close", "aria-label": strings.close, click: onClose }, icon(CLOSE));
  const title = h("h2", { id: "title" });
  const other = h("span");
  const dot = h("span", { class: "dot" });
  const way = h("button", { class: "way", click: () => (talking ? onAgain : onTalk)() }, other, dot);
  const body = h("div", { class: "body" });
  const el = h(
    "section",
    { class: "panel", role: "dialog", "aria-modal": "false", "aria-labelledby": "title", keydown },
    h("header", {}, title, way, close),
    body,
  );
  let form: Form | undefined;
  let talking = false;
  const focus = () => body.querySelector<HTMLElement>("textarea,[tabindex]")!.focus();

  function show(view?: View, busy = false): HTMLElement {
    const free = focusIsFree();
    form = view ? undefined : createForm(options);
    form?.busy(busy);
    talking = view?.state === "talk";
    title.textContent = talking ? strings.yours : config.texts.title || strings.title;
    other.textContent = talking ? strings.another : strings.yours;
    const content = talking ? h("div", { class: "talk", tabindex: "-1" }) : form ? form.el : outcome(view!);
    body.replaceChildren(content);
    if (free && !el.hidden) focus();
    el.dataset.state = view?.state || "form";
    return content;
  }

  function news(known: boolean, words: string): void {
    way.hidden = !known;
    dot.textContent = talking ? "" : words;
  }

  /** Kept for later must never be mistaken for sent: other words, icon and colour. */
  function outcome(result: View): HTMLElement {
    const sent = result.state === "sent" && result;
    const kept = result.state === "kept" && result.durable ? strings.kept : strings.keptOpen;
    return h(
      "div",
      { class: "result" },
      icon(sent ? CHECK : CLOCK),
      h("h3", { tabindex: "-1" }, sent ? strings.sentTitle : strings.keptTitle),
      h("p", {}, sent ? config.texts.thanks || strings.sent : kept),
      sent && h("button", { class: "primary", click: () => onTalk(sent.id) }, strings.see),
      h("button", { class: "again", click: onAgain }, strings.another),
      sent && sent.receipt && h("a", { href: sent.receipt, target: "_blank" }, strings.receipt),
    );
  }

  function keydown(event: KeyboardEvent): void {
    // 229: Safari reports the Esc that ends a composition this way.
    if (event.key !== "Escape" || event.isComposing || event.keyCode === 229) return;
    // Otherwise the browser would close the page's own modal dialog, too.
    event.preventDefault();
    onClose();
  }

  return { el, focus, form: () => form, show, news };
}
