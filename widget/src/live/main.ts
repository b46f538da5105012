import type { VisitorServerEvent } from "../../../realtime/protocol/ts";
import type { Config } from "../config";
import type { Ask } from "../delivery";
import { h } from "../dom";
import { MESSAGE_LENGTH, type Draft } from "../form";
import type { Outbox } from "../outbox";
import { createFiles, isolated } from "./files";
import css from "./live.css?inline";
import { createSession } from "./session";
import { createUnsent } from "./unsent";
import { wordsIn } from "./words";

/** Quiet time after a keystroke before the draft is sent; well under the server's five a second. */
const DRAFT_PAUSE_MS = 400;

/** What the widget's own script gives to this one, which is loaded when the panel opens. */
export interface LiveOptions {
  config: Config;
  draft: Draft;
  outbox: Pick<Outbox, "token" | "use">;
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
  /** What was to be sent is a draft again, of which nobody need be told anew. */
  returned(): void;
  /** The form or the language is another. */
  dress(): void;
  ask: Ask;
}

export function createLive({ config, draft, outbox, panel, style, hear, signal }: LiveOptions): Live {
  const session = createSession(config, outbox.token, onEvent, signal);
  /** Whether what is in the form is a message under way. */
  const sending = (): boolean => !!panel()?.querySelector("#message[readonly]");
  const files = createFiles({ config, draft, token: outbox.token, panel, style, sending });
  // Whoever writes fast has begun before this script was there. What is from before this page is told to nobody until it is touched.
  const begun = !!draft.message;
  const unsent = createUnsent(config, draft, () => outbox.use(({ token }) => token));
  let pause: ReturnType<typeof setTimeout>;

  /** Shows a restored draft in the form that was there first. */
  function fill(): void {
    const message = panel()?.querySelector<HTMLTextAreaElement>("#message");
    if (!message || message.value) return;
    message.value = draft.message;
    const share = panel()!.querySelector<HTMLInputElement>("#share");
    if (share) share.checked = draft.shared;
  }

  function onEvent(event: VisitorServerEvent): void {
    if (event.type !== "DraftAccepted") return hear(event);
    const words: Record<string, string> = { ...config.strings, ...wordsIn(config.strings.lang) };
    const said = (event.data.hints || []).map(({ code, message }) => h("p", {}, words[`hint_${code}`] || message));
    const hints = panel()?.querySelector("#hints");
    hints?.querySelectorAll("p:not(.missed)").forEach((old) => old.remove());
    hints?.append(...said);
  }

  /** Says once what messages went out without, where the visitor sees it. It stays until the form is another. */
  function confess(): void {
    const hints = panel()?.querySelector("#hints");
    if (!hints || panel()!.hidden) return;
    const missed = outbox.use((state) => {
      const { missed } = state;
      state.missed = undefined;
      return missed;
    });
    const names = missed?.map(isolated).join(", ");
    if (names) hints.prepend(h("p", { class: "missed" }, wordsIn(config.strings.lang).missed.replace("#", () => names)));
  }

  function changed(over?: boolean): void {
    clearTimeout(pause);
    if (over) {
      unsent.forget();
      return session.sent();
    }
    unsent.note();
    pause = setTimeout(() => {
      if ([...draft.message].length <= MESSAGE_LENGTH) session.draft(draft.message, config.show_drafts && draft.shared);
    }, DRAFT_PAUSE_MS);
  }

  style(css);
  if (!begun) fill();
  else if (!sending()) changed();

  return {
    open() {
      session.open();
      confess();
    },
    close: session.close,
    ask: session.ask,
    changed,
    returned: unsent.note,
    dress() {
      files.dress();
      if (!draft.message) unsent.forget();
      confess();
    },
  };
}
