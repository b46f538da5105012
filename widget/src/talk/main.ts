import type { VisitorServerEvent } from "../../../realtime/protocol/ts";
import type { Config } from "../config";
import type { Ask } from "../delivery";
import { focusIsFree, listen } from "../dom";
import type { Emitter } from "../emitter";
import type { Outbox } from "../outbox";
import type { View } from "../panel";
import { createList } from "./list";
import { createReplies } from "./replies";
import { createStore } from "./store";
import css from "./talk.css?inline";
import { createThread } from "./thread";
import { createWays } from "./ways";

/** How often it is looked whether a socket carries the conversation. */
const LOOK_MS = 5_000;
/** An open socket is never silent for longer: the client asks it for a sign of life before. */
const QUIET_MS = 40_000;
/** The longest wait that the server grants, in seconds. */
const WAIT_S = 25;
/** A new connection is known to be this visitor's by then, so nothing comes between what it brings and what is asked for. */
const CATCH_UP_MS = 1_000;

/** What the widget's own script gives to this one, which is loaded for who has conversations. */
export interface TalkOptions {
  config: Config;
  outbox: Pick<Outbox, "token" | "use">;
  ask: Ask;
  emitter: Emitter;
  /** That of the launcher; the panel's words may still be on their way. */
  language(): string;
  style(css: string): void;
  launcher: HTMLElement;
  panel(): HTMLElement | undefined;
  view(): View | undefined;
  present(view: View): HTMLElement | undefined;
  /** Back to the form. */
  onAgain(): void;
  signal: AbortSignal;
}

export interface Talk {
  /** Asks what was said since the visitor was here. */
  greet(): Promise<void>;
  /** Shows what is unread. */
  open(): void;
  hear(event: VisitorServerEvent): void;
  /** The language or the visitor may be another. */
  dress(): void;
}

export function createTalk(options: TalkOptions): Talk {
  const { config, outbox, ask, emitter, language, onAgain, signal } = options;
  const ways = createWays(options, show);
  const replies = createReplies({ config, outbox, onEvent: take });
  const store = createStore({ config, outbox, ask, onChange: draw });
  const list = createList({ config, store, replies, onOpen: turn });
  const drafts = new Map<string, string>();
  let slot: HTMLElement | undefined;
  let thread: ReturnType<typeof createThread> | undefined;
  /** Asked for, and not there yet: an id, or null for what fits best. */
  let wish: string | null | undefined;
  let owner = outbox.token();
  let told = "";
  let count = 0;
  let watching = false;
  let spoken = "";
  /** When the socket last said something. What a poll brings is not among it. */
  let alive = 0;

  /** Whether the visitor has them before their eyes. */
  const shown = (): boolean => !!slot?.isConnected && !slot.closest("[hidden]") && !document.hidden;

  /** Tells the launcher and the page. */
  function tell(): void {
    const unread = replies.unread();
    if (unread > count) emitter.emit("reply", { unread });
    count = unread;
    const words = replies.words(language());
    if (words !== told) ways.draw((told = words));
  }

  function take(event: VisitorServerEvent): void {
    replies.note(event);
    tell();
    store.hear(event);
  }

  function draw(): void {
    if (!slot) return;
    if (wish !== undefined && store.state() === "ready") grant();
    // Erased meanwhile.
    if (thread && !store.items().some(({ id }) => id === thread!.id)) turn();
    if (thread) thread.draw();
    else list.draw();
    look();
  }

  /** The one that was asked for, else the only one that there is something new in, else the only one. */
  function grant(): void {
    const items = store.items();
    const fresh = items.filter(({ id }) => replies.unread(id));
    const [only, more] = fresh.length ? fresh : items;
    const target = items.find(({ id }) => id === wish) || (wish === null && !more ? only : undefined);
    wish = undefined;
    if (target) turn(target.id);
  }

  /** Goes to one conversation, or to the list of all. */
  function turn(id?: string): void {
    const before = thread?.id;
    const item = store.items().find((item) => item.id === id);
    const free = focusIsFree();
    thread = item && createThread({ config, store, item, drafts, onBack: store.items().length > 1 ? () => turn() : undefined });
    spoken = config.strings.lang;
    slot!.replaceChildren((thread || list).el);
    if (thread) thread.begin();
    else {
      list.draw();
      if (before && free) list.focus(before);
    }
    look();
  }

  /** What is before the visitor's eyes is read. */
  function look(): void {
    if (!thread || !shown() || !replies.unread(thread.id)) return;
    replies.read(thread.id);
    tell();
  }

  /** Where no socket carries it, the conversation is asked for while it is looked at. */
  async function watch(): Promise<void> {
    if (watching) return;
    watching = true;
    for (;;) {
      await new Promise((done) => setTimeout(done, LOOK_MS));
      if (!shown() || signal.aborted) break;
      if (Date.now() - alive > QUIET_MS) await replies.poll(WAIT_S).catch(() => {});
    }
    watching = false;
  }

  async function greet(): Promise<void> {
    tell();
    await replies.poll().catch(() => {});
  }

  function back(): void {
    if (!shown()) return;
    void store.load();
    void watch();
  }

  function dress(): void {
    if (outbox.token() !== owner) {
      owner = outbox.token();
      drafts.clear();
      const left = shown();
      slot = thread = undefined;
      if (left) onAgain();
    }
    tell();
    ways.draw(told);
    if (slot && config.strings.lang !== spoken) turn(thread?.id);
  }

  /** Shows the conversation of that id, or what fits best. */
  function show(id?: string): void {
    slot = thread = undefined;
    slot = options.present({ state: "talk" })!;
    wish = id || null;
    spoken = config.strings.lang;
    slot.replaceChildren(list.el);
    list.draw();
    back();
  }

  options.style(css);
  ways.draw(told);
  // In another tab somebody may have read, or signed out.
  listen("storage", dress, signal);
  listen("visibilitychange", back, signal);

  return {
    greet,
    open: () => void (told && show()),
    hear(event) {
      if (/Connected|Resumed|Typing|Accepted|Pong/.test(event.type)) alive = Date.now();
      take(event);
      if (event.type === "Connected") setTimeout(() => (greet(), back()), CATCH_UP_MS);
    },
    dress,
  };
}
