import { signal, type ReadonlySignal } from "@preact/signals";
import type { Live } from "../live/live";
import type { Api } from "../session/api";
import { Problem } from "../session/problem";
import type { Message, Visibility } from "../session/types";
import type { Shelf, Unsent } from "./shelf";

/** A message on its way. `sent`: acknowledged, and the log has not told of it yet. */
export interface Outgoing extends Unsent {
  state: "sending" | "sent" | "failed";
  /** Why it failed. */
  error?: unknown;
}

/** What a person has sent. It is shown before it is acknowledged and kept until it is, whatever is open meanwhile. */
export interface Outbox {
  list: ReadonlySignal<readonly Outgoing[]>;
  send(feedbackId: string, visibility: Visibility, body: string): void;
  /** The same message again, not a second one. */
  retry(id: string): void;
  /** Gives up on one that failed. */
  take(id: string): Outgoing | undefined;
  /** Brings back what was not acknowledged before the page was left. */
  restore(feedbackId: string): void;
  /** The conversation has these by now. */
  arrived(ids: ReadonlySet<string>): void;
  forget(feedbackId: string): void;
}

export interface OutboxDeps {
  api: Pick<Api, "postMessage">;
  live: Pick<Live, "ask">;
  shelf: Shelf;
  newId(): string;
  now(): number;
  /** The server's own form, where it came with the acknowledgement. */
  posted(message: Message): void;
  /** On disk, or refused, or unanswered. */
  settled(message: Outgoing): void;
}

function createList() {
  const list = signal<readonly Outgoing[]>([]);
  const find = (id: string): Outgoing | undefined => list.peek().find((message) => message.id === id);
  return {
    list,
    find,
    put: (message: Outgoing): void =>
      void (list.value = find(message.id) ? list.peek().map((old) => (old.id === message.id ? message : old)) : [...list.peek(), message]),
    drop(gone: (message: Outgoing) => boolean): void {
      if (list.peek().some(gone)) list.value = list.peek().filter((message) => !gone(message));
    },
  };
}

export function createOutbox({ api, live, shelf, newId, now, posted, settled }: OutboxDeps): Outbox {
  const { list, find, put, drop } = createList();

  /** By the socket, and where there is none or it falls silent, by HTTP: the id makes both the same message. */
  async function post({ id, feedbackId: feedback_id, visibility, body }: Unsent): Promise<Message | null> {
    const asked = live.ask({ type: visibility === "public" ? "ReplySent" : "NoteAdded", id, data: { feedback_id, body } });
    try {
      if (asked) return await asked.then(() => null);
    } catch (error) {
      if (error instanceof Problem) throw error;
    }
    return api.postMessage(feedback_id, { id, body, visibility });
  }

  async function deliver(message: Unsent): Promise<void> {
    shelf.keepUnsent(message);
    put({ ...message, state: "sending" });
    let done: Outgoing;
    try {
      const answer = await post(message);
      shelf.dropUnsent(message);
      done = { ...message, state: "sent" };
      // Where the log was quicker there is nothing left to mark.
      if (find(message.id)) put(done);
      if (answer) posted(answer);
    } catch (error) {
      // Acknowledged by the log while the answer was lost.
      if (!find(message.id)) return;
      done = { ...message, state: "failed", error };
      put(done);
    }
    settled(done);
  }

  return {
    list,
    send: (feedbackId, visibility, body) =>
      void deliver({ id: newId(), feedbackId, visibility, body: body.trim(), at: new Date(now()).toISOString() }),
    retry(id) {
      const message = find(id);
      if (message?.state !== "failed") return;
      const { state: _, error: __, ...unsent } = message;
      void deliver(unsent);
    },
    take(id) {
      const message = find(id);
      if (message?.state !== "failed") return undefined;
      shelf.dropUnsent(message);
      drop((other) => other.id === id);
      return message;
    },
    restore(feedbackId) {
      for (const message of shelf.unsent(feedbackId)) if (!find(message.id)) put({ ...message, state: "failed" });
    },
    arrived(ids) {
      for (const message of list.peek()) if (ids.has(message.id)) shelf.dropUnsent(message);
      drop(({ id }) => ids.has(id));
    },
    forget(feedbackId) {
      shelf.forget(feedbackId);
      drop((message) => message.feedbackId === feedbackId);
    },
  };
}
