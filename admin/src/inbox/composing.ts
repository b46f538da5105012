import { batch, signal, type ReadonlySignal } from "@preact/signals";
import type { Message, Visibility } from "../session/types";
import type { Conversation } from "./conversation";
import { moment } from "./rows";
import type { Shelf } from "./shelf";
import { newerThan } from "./thread";

/** The server's limit, in code points. */
export const maxBody = 5_000;

/** The answer that is being written to one item. */
export interface Composing {
  body: ReadonlySignal<string>;
  visibility: ReadonlySignal<Visibility>;
  /** What others said since this answer was begun, and its writer has to see before it goes out. Null: nothing to ask. */
  newer: ReadonlySignal<readonly Message[] | null>;
  write(body: string): void;
  address(visibility: Visibility): void;
  /** Sends, or asks first. Returns whether it went out. */
  send(): boolean;
  /** Sends in the knowledge of what was newer. */
  confirm(): void;
  /** Back to the text. What was shown is known from now on. */
  reconsider(): void;
}

export interface ComposingDeps {
  feedbackId: string;
  me: string;
  conversation: Pick<Conversation, "thread" | "seen" | "send">;
  shelf: Pick<Shelf, "draft" | "keepDraft">;
}

export const tooLong = (body: string): boolean => body.length > maxBody && [...body.trim()].length > maxBody;

export function createComposing({ feedbackId, me, conversation, shelf }: ComposingDeps): Composing {
  const kept = shelf.draft(feedbackId);
  const body = signal(kept?.body ?? "");
  const visibility = signal<Visibility>(kept?.visibility ?? "public");
  const newer = signal<readonly Message[] | null>(null);
  let mark = kept?.mark ?? null;

  const keep = (): void => shelf.keepDraft(feedbackId, { body: body.peek(), visibility: visibility.peek(), mark });

  function unseen(): readonly Message[] {
    // Begun before anything was read: then what the first read brought is what its writer had before them.
    const since = mark ?? conversation.seen();
    return since === null ? [] : newerThan(conversation.thread.peek(), since, me);
  }

  function dispatch(): void {
    const text = body.peek();
    batch(() => {
      newer.value = null;
      body.value = "";
      mark = null;
      conversation.send(feedbackId, visibility.peek(), text);
    });
    keep();
  }

  return {
    body,
    visibility,
    newer,
    write(text) {
      // From the first character on: whatever comes after it may not have been read by the time it is sent.
      if (!body.peek().trim() || mark === null) mark = conversation.seen();
      body.value = text;
      keep();
    },
    address(to) {
      visibility.value = to;
      keep();
    },
    send() {
      const text = body.peek();
      if (!text.trim() || tooLong(text)) return false;
      // A note disturbs nobody outside: there is nothing to take back.
      const missed = visibility.peek() === "public" ? unseen() : [];
      if (missed.length === 0) dispatch();
      else newer.value = missed;
      return missed.length === 0;
    },
    confirm: dispatch,
    reconsider() {
      const last = newer.peek()?.at(-1);
      if (last) mark = moment(last);
      newer.value = null;
      keep();
    },
  };
}
