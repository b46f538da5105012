import { effect, type ReadonlySignal } from "@preact/signals";
import type { ConversationEvent } from "../live/events";
import type { Api } from "../session/api";
import { Problem } from "../session/problem";
import type { Message } from "../session/types";
import { createOutbox, type Outbox, type OutboxDeps, type Outgoing } from "./outbox";
import type { Load } from "./reading";
import * as threads from "./thread";
import { createThreadReading } from "./thread-reading";

/** What became of a change of a note. `conflict`: it is another one by now. `gone`: somebody deleted it. */
export type NoteOutcome = "done" | "conflict" | "gone" | { error: unknown };

/** The open item's conversation. One at a time; messages under way outlive a change of the item. */
export interface Conversation extends Pick<Outbox, "send" | "retry" | "take"> {
  thread: ReadonlySignal<threads.Thread>;
  outgoing: Outbox["list"];
  load: ReadonlySignal<Load>;
  older: ReadonlySignal<Load>;
  /** Reads an item's newest messages. Null: nothing is open. Never rejects; `load` says how it went. */
  open(feedbackId: string | null): Promise<void>;
  loadOlder(): Promise<void>;
  /** Reads again: after a failure, and after a hole in the log. */
  again(): Promise<void>;
  editNote(note: Message, body: string): Promise<NoteOutcome>;
  deleteNote(note: Message): Promise<NoteOutcome>;
  /** The end of the conversation is on screen and looked at. */
  sawEnd(): void;
  /** What a person has seen of it, as `endOf` spells it; null while it is not read. */
  seen(): string | null;
  heard(event: ConversationEvent): void;
  /** An item is gone, and what was to be said about it. */
  forget(feedbackId: string): void;
  close(): void;
}

export interface ConversationDeps extends Omit<OutboxDeps, "api" | "posted" | "settled"> {
  api: Pick<Api, "messages" | "postMessage" | "editNote" | "deleteNote">;
  /** A message was sent, or not; `open`: while its item is on screen. */
  settled(message: Outgoing, open: boolean): void;
}

export function createConversation({ api, settled, ...deps }: ConversationDeps): Conversation {
  const reading = createThreadReading(api);
  const { thread } = reading;
  const outbox = createOutbox({
    ...deps,
    api,
    posted: (message) => message.feedback_id === reading.id() && take(message),
    settled(message) {
      const open = message.feedbackId === reading.id();
      // Nobody waits for the log's word about what is not on screen.
      if (message.state === "sent" && !open) outbox.arrived(new Set([message.id]));
      settled(message, open);
    },
  });
  // Whichever way a message came in, it is not on its way any more.
  const stop = effect(() => outbox.arrived(new Set(thread.value.items.map(({ id }) => id))));
  const take = (message: Message): void => void (thread.value = threads.withMessages(thread.peek(), [message]));

  async function change(note: Message, call: () => Promise<Message | void>): Promise<NoteOutcome> {
    const open = (): boolean => note.feedback_id === reading.id();
    try {
      const answer = await call();
      if (answer && open()) take(answer);
      else if (open()) thread.value = threads.without(thread.peek(), note.id);
      return "done";
    } catch (error) {
      if (!(error instanceof Problem) || (error.status !== 404 && error.code !== "conflict")) return { error };
      // What it is now may have been told by the log already; where it was not, it is read.
      if (open()) await reading.again();
      return error.status === 404 ? "gone" : "conflict";
    }
  }

  return {
    ...reading,
    outgoing: outbox.list,
    send: outbox.send,
    retry: outbox.retry,
    take: outbox.take,
    async open(id) {
      const read = reading.open(id);
      if (id) outbox.restore(id);
      await read;
    },
    editNote: (note, body) => change(note, () => api.editNote(note.feedback_id, note.id, body.trim(), note.rev)),
    deleteNote: (note) => change(note, () => api.deleteNote(note.feedback_id, note.id, note.rev)),
    heard(event) {
      if (event.data.feedback_id === reading.id()) thread.value = threads.heard(thread.peek(), event);
    },
    forget: outbox.forget,
    close() {
      reading.stop();
      stop();
    },
  };
}
