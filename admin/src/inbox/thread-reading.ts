import { batch, signal, type Signal } from "@preact/signals";
import type { Api } from "../session/api";
import type { Load } from "./reading";
import * as threads from "./thread";

/** Reads the open item's conversation, page by page. It alone knows which item that is: late answers to another are dropped. */
export interface ThreadReading {
  thread: Signal<threads.Thread>;
  load: Signal<Load>;
  older: Signal<Load>;
  /** The open item; null: none. */
  id(): string | null;
  open(feedbackId: string | null): Promise<void>;
  loadOlder(): Promise<void>;
  again(): Promise<void>;
  sawEnd(): void;
  seen(): string | null;
  stop(): void;
}

export function createThreadReading(api: Pick<Api, "messages">): ThreadReading {
  const thread = signal(threads.noThread);
  const load = signal<Load>("ready");
  const older = signal<Load>("ready");
  let openId: string | null = null;
  let reading: AbortController | null = null;
  let seen: string | null = null;

  /** The youngest read wins. What it does not name any more, of what was known when it was asked for, was deleted. */
  async function read(id: string): Promise<void> {
    reading?.abort();
    const mine = (reading = new AbortController());
    const known = new Set(thread.peek().items.map((message) => message.id));
    load.value = "loading";
    try {
      const page = await api.messages(id, null, mine.signal);
      if (reading !== mine) return;
      batch(() => {
        thread.value = threads.reread(thread.peek(), page, known);
        older.value = load.value = "ready";
        seen ??= threads.endOf(thread.peek());
      });
    } catch {
      if (reading === mine) load.value = "failed";
    }
  }

  return {
    thread,
    load,
    older,
    id: () => openId,
    async open(id) {
      reading?.abort();
      reading = null;
      openId = id;
      seen = null;
      batch(() => {
        thread.value = threads.noThread;
        older.value = load.value = "ready";
      });
      if (id) await read(id);
    },
    async loadOlder() {
      const { cursor } = thread.peek();
      const id = openId;
      if (!id || !cursor || older.peek() === "loading") return;
      older.value = "loading";
      try {
        const page = await api.messages(id, cursor);
        if (openId !== id || thread.peek().cursor !== cursor) return;
        batch(() => {
          thread.value = threads.withPage(thread.peek(), page, true);
          older.value = "ready";
        });
      } catch {
        if (openId === id) older.value = "failed";
      }
    },
    again: async () => void (openId && (await read(openId))),
    sawEnd() {
      if (load.peek() === "ready") seen = threads.endOf(thread.peek());
    },
    seen: () => seen,
    stop: () => reading?.abort(),
  };
}
