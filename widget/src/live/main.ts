import type { VisitorServerEvent } from "../../../realtime/protocol/ts";
import type { Config } from "../config";
import type { Ask } from "../delivery";
import { h } from "../dom";
import { MESSAGE_LENGTH, type Draft } from "../form";
import type { Outbox } from "../outbox";
import { createFiles } from "./files";
import css from "./live.css?inline";
import { createSession } from "./session";
import { wordsIn } from "./words";

/** Quiet time after a keystroke before the draft is sent; well under the server's five a second. */
const DRAFT_PAUSE_MS = 400;

/** What the widget's own script gives to this one, which is loaded when the panel opens. */
export interface LiveOptions {
  config: Config;
  draft: Draft;
  outbox: Pick<Outbox, "token">;
  panel(): HTMLElement | undefined;
  style(css: string): void;
  /** Told what the server says beyond what this script is about. */
  hear(event: VisitorServerEvent): void;
  signal: AbortSignal;
}

/** What an open panel has beyond the form: the way to the server that hears and answers, and files. */
export interface Live {
  open(): void;
  /** The socket ends soon, or `now`. */
  close(now?: boolean): void;
  /** The draft's text or its switch has. `over`: it is sent as a message now, and nothing more is told of it. */
  changed(over?: boolean): void;
  /** The form or the language is another. */
  dress(): void;
  ask: Ask;
}

export function createLive({ config, draft, outbox, panel, style, hear, signal }: LiveOptions): Live {
  const session = createSession(config, outbox.token, onEvent, signal);
  const files = createFiles({ config, draft, token: outbox.token, panel, style });
  let pause: ReturnType<typeof setTimeout>;

  function onEvent(event: VisitorServerEvent): void {
    if (event.type !== "DraftAccepted") return hear(event);
    const words: Record<string, string> = { ...config.strings, ...wordsIn(config.strings.lang) };
    const said = (event.data.hints || []).map(({ code, message }) => h("p", {}, words[`hint_${code}`] || message));
    panel()?.querySelector("#hints")?.replaceChildren(...said);
  }

  function changed(over?: boolean): void {
    clearTimeout(pause);
    if (over) return session.sent();
    pause = setTimeout(() => {
      if ([...draft.message].length <= MESSAGE_LENGTH) session.draft(draft.message, config.show_drafts && draft.shared);
    }, DRAFT_PAUSE_MS);
  }

  style(css);
  // Whoever writes fast has begun before this script was there.
  if (draft.message) changed();

  return {
    open: session.open,
    close: session.close,
    ask: session.ask,
    changed,
    dress: files.dress,
  };
}
