import type { Config } from "../config";
import { focusIsFree, h, icon } from "../dom";
import { MESSAGE_LENGTH } from "../form";
import { badge } from "./list";
import type { Item, Line, Store } from "./store";
import { moment, wordsIn } from "./words";

/** "‹", turned round where the language is. */
const BACK = "M12 5l-5 5 5 5";
/** How far from its end a conversation may be and still follow what comes, in px. */
const NEAR = 40;

export interface ThreadOptions {
  config: Config;
  store: Store;
  item: Item;
  /** What is being written. It outlives the view: a look at the list or another language lose nothing. */
  drafts: Map<string, string>;
  /** To all of them; without it there is but this one. */
  onBack?: () => void;
}

/** One conversation, with the field to answer in. What is drawn stays, so that focus and selection do. */
export function createThread({ config, store, item: first, drafts, onBack }: ThreadOptions) {
  const { strings } = config;
  const words = wordsIn(strings.lang);
  const { id, receipt_url } = first;
  const drawn = new Map<string, { el: HTMLElement; as: string }>();

  const back = h("button", { class: "all", click: () => onBack?.() }, icon(BACK), words.all);
  const bar = h("div", { class: "bar" });
  // The region that speaks, politely, of what comes; by keyboard it is scrolled from within.
  const log = h("div", { class: "log", role: "log", tabindex: "0", "aria-label": words.log });
  const typing = h("p", { class: "typing" });
  const alert = h("p", { id: "alert", role: "alert" });
  const field = h("textarea", { id: "reply", dir: "auto", rows: "1", "aria-describedby": "alert", input, keydown });
  const send = h("button", { class: "primary" }, strings.submit);
  const form = h("form", { novalidate: "", submit }, h("label", { for: "reply" }, words.label), field, alert, send);
  const receipt = h("a", { href: receipt_url, target: "_blank" }, words.receipt);
  const el = h("div", { class: "thread" }, bar, log, typing, form, receipt);

  function bubble(line: Line): HTMLElement {
    const state = h("p", { class: "state" }, line.state === "sending" ? strings.sending : line.code ? `${strings.errRefused} (${line.code})` : words.unsent);
    if (line.state === "failed") {
      const again = () => {
        field.focus();
        store.retry(current(), line);
      };
      state.append(h("button", { click: again }, words.again));
    }
    const who = line.mine ? words.you : line.name || words.support;
    return h(
      "div",
      { class: line.mine ? "line mine" : "line" },
      h("p", { class: "who" }, h("bdi", {}, who), h("time", { datetime: line.at }, moment(line.at, strings.lang))),
      h("p", { class: "text", dir: "auto" }, line.body),
      line.state && state,
    );
  }

  const current = (): Item => store.items().find((item) => item.id === id) || first;

  function draw(): void {
    const item = current();
    const end = log.scrollHeight - log.scrollTop - log.clientHeight < NEAR;
    for (const line of item.lines) {
      const as = JSON.stringify(line);
      const known = drawn.get(line.id);
      if (known?.as === as) continue;
      const fresh = bubble(line);
      if (known) known.el.replaceWith(fresh);
      else log.append(fresh);
      drawn.set(line.id, { el: fresh, as });
    }
    bar.replaceChildren(...(onBack ? [back] : []), badge(item, words));
    typing.textContent = item.typing ? words.typing : "";
    if (end) follow();
  }

  const follow = (): void => void (log.scrollTop = log.scrollHeight);

  function complain(text: string): void {
    alert.textContent = text;
    field.ariaInvalid = `${!!text}`;
    if (text) field.focus();
  }

  function submit(event?: Event): void {
    event?.preventDefault();
    const text = field.value.trim();
    if (!text) return complain(strings.hint_empty);
    if ([...text].length > MESSAGE_LENGTH) return complain(strings.hint_too_long);
    field.value = "";
    drafts.delete(id);
    store.say(current(), text);
    follow();
    field.focus();
  }

  function input(): void {
    drafts.set(id, field.value);
    complain("");
  }

  function keydown(event: KeyboardEvent): void {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && !event.isComposing) submit();
  }

  field.value = drafts.get(id) || "";
  return {
    id,
    el,
    draw,
    /** Once it is in the page. */
    begin(): void {
      draw();
      follow();
      if (focusIsFree()) field.focus();
    },
  };
}
