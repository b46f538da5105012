import type { Config } from "../config";
import { h } from "../dom";
import type { Replies } from "./replies";
import type { Item, Store } from "./store";
import { moment, wordsIn, type Words } from "./words";

export interface ListOptions {
  config: Config;
  store: Store;
  replies: Replies;
  onOpen(id: string): void;
}

/** All of a visitor's items. Drawn anew at each change; the focus stays on the item that has it. */
export function createList({ config, store, replies, onOpen }: ListOptions) {
  const el = h("div", { class: "list" });

  function row(item: Item, words: Words): HTMLElement {
    const { strings } = config;
    const last = item.lines.at(-1)!;
    const news = replies.words(strings.lang, item.id);
    const name = last.mine ? words.you : last.name || words.support;
    const button = h(
      "button",
      { class: "item", "data-id": item.id, click: () => onOpen(item.id) },
      h("span", { class: "first cut", dir: "auto" }, item.lines[0]!.body),
      item.lines.length > 1 && h("span", { class: "last" }, h("bdi", {}, `${name}:`), h("span", { class: "cut", dir: "auto" }, last.body)),
      h(
        "span",
        { class: "about" },
        badge(item, words),
        news && h("b", { class: "new" }, news),
        h("time", { datetime: last.at }, moment(last.at, strings.lang)),
      ),
      item.typing && h("span", { class: "typing" }, words.typing),
    );
    return h("li", {}, button);
  }

  function failure(words: Words): HTMLElement {
    const again = h("button", { class: "again", click: () => store.load() }, words.again);
    return h("div", {}, h("p", { role: "alert" }, wordsIn(config.strings.lang).unloaded), again);
  }

  return {
    el,
    draw(): void {
      const words = wordsIn(config.strings.lang);
      const items = store.items();
      const focused = (el.getRootNode() as ShadowRoot).activeElement as HTMLElement | null;
      if (items.length) el.replaceChildren(h("ul", {}, ...items.map((item) => row(item, words))));
      else if (store.state() === "failed") el.replaceChildren(failure(words));
      else el.replaceChildren(h("p", {}, store.state() === "loading" ? words.loading : words.none));
      if (focused?.dataset.id) this.focus(focused.dataset.id);
    },
    focus(id: string): void {
      el.querySelector<HTMLElement>(`[data-id="${id}"]`)?.focus();
    },
  };
}

/** An item's status in the visitor's words. */
export function badge({ status }: Item, words: Words): HTMLElement {
  return h("span", { class: "badge", "data-status": status }, words[status]);
}
