import { h } from "../dom";
import type { TalkOptions } from "./main";
import { wordsIn } from "./words";

/** The ways to the conversations: on the launcher, beside the panel's title, and where a message has just been sent. */
export interface Ways {
  /** `unread`: what is unread, in words, or nothing. */
  draw(unread: string): void;
}

/** `onTalk`: to the one with the id, or to all. */
export function createWays({ config, outbox, launcher, panel, view, onAgain }: TalkOptions, onTalk: (id?: string) => void): Ways {
  const dot = () => h("span", { class: "dot" });
  const mark = dot();
  const near = dot();
  const label = h("span");
  const turn = h("button", { click: () => (view()?.state === "talk" ? onAgain : onTalk)() }, label, near);
  launcher.append(mark);

  /** What a result leads to is known once it is in view. */
  function follow(place: Element): void {
    const result = view();
    if (result?.state !== "sent") return;
    if (!place.firstChild) place.append(h("button", { class: "primary", click: () => onTalk(result.id) }));
    place.firstChild!.textContent = wordsIn(config.strings.lang).see;
  }

  return {
    draw(unread) {
      mark.textContent = unread;
      const [header, result] = panel()?.querySelectorAll(".way") || [];
      if (!header) return;
      const { yours } = wordsIn(config.strings.lang);
      const talking = view()?.state === "talk";
      if (talking) panel()!.querySelector("h2")!.textContent = yours;
      label.textContent = talking ? config.strings.another : yours;
      near.textContent = talking ? "" : unread;
      turn.hidden = !outbox.use(({ token }) => token);
      // Where it is already, the focus stays on it. What comes while the visitor writes is told, and interrupts nothing.
      header.setAttribute("aria-live", "polite");
      if (!header.firstChild) header.append(turn);
      if (result) follow(result);
    },
  };
}
