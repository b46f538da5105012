import type { Config, Strings } from "./config";
import { h, icon } from "./dom";
import { CHECK, CLOCK } from "./icons";
import type { Outcome } from "./delivery";

export interface Result {
  el: HTMLElement;
  destroy(): void;
  focus(): void;
}

export interface ResultOptions {
  config: Config;
  strings: Strings;
  outcome: Exclude<Outcome, { state: "refused" }>;
  onAgain(): void;
}

/** What became of the submission. Kept for later must never be mistaken for sent: other words, icon and colour. */
export function createResult({ config, strings, outcome, onAgain }: ResultOptions): Result {
  const sent = outcome.state === "sent";
  const title = h("h3", { tabindex: "-1" }, sent ? strings.sentTitle : strings.keptTitle);
  const text = sent ? config.texts.thanks || strings.sent : outcome.durable ? strings.kept : strings.keptOpen;
  const again = h("button", { type: "button", class: "secondary", "data-part": "again" }, strings.another);
  again.addEventListener("click", onAgain);
  const el = h(
    "div",
    { class: "result", "data-part": outcome.state },
    h("div", { class: "badge" }, icon(sent ? CHECK : CLOCK)),
    title,
    h("p", {}, text),
    sent &&
      outcome.receipt !== undefined &&
      h(
        "a",
        { href: outcome.receipt, target: "_blank", rel: "noopener noreferrer", "data-part": "receipt" },
        strings.receipt,
      ),
    again,
  );
  return { el, destroy: () => el.remove(), focus: () => title.focus() };
}
