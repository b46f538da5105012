import { fullJitter, type components } from "../../realtime/protocol/ts";
import { resumeToken } from "./uuid";

export const OUTBOX_LIMIT = 20;
const BACKOFF_BASE_MS = 1_000;
const BACKOFF_CAP_MS = 300_000;
/** After this nothing is tried any more: the visitor is shown the text instead. */
const GIVE_UP_MS = 7 * 86_400_000;
/** Keeps other tabs off an entry that this one is sending; longer than the whole ladder takes. */
const IN_FLIGHT_MS = 30_000;

/** The fields of a submission, equal on every way out: a repeated id with another payload is a conflict. */
export type Feedback = components["schemas"]["FeedbackSubmitted"];

export interface Entry {
  id: string;
  /** The session under which it was written; a later visitor of the same browser has another. */
  token: string;
  body: Feedback;
  at: number;
  tries: number;
  /** Our own back-off, which good news (online, visible again) may cut short. */
  next: number;
  /** The server's word (Retry-After), which nothing cuts short. */
  hold: number;
  /** Why it will not be tried again; it stays until the visitor has seen to it. */
  error?: string;
}

export interface Outbox {
  /** This session's secret. Made in memory; written to storage only together with an entry. */
  token(): string;
  /** Written before the first attempt, so that a page that goes away meanwhile loses nothing. False: full. */
  add(id: string, body: Feedback): Entry | false;
  remove(id: string): void;
  later(id: string, retryAfter?: number): void;
  fail(id: string, error: string): void;
  /** What may be tried now; `eager` ignores our own back-off. */
  due(eager?: boolean): Entry[];
  /** Milliseconds until something is due; undefined when nothing waits. */
  wait(): number | undefined;
  /** One that will never be sent, for the visitor to see. */
  failed(): Entry | undefined;
  /** Whether entries survive this page. */
  durable(): boolean;
  /** Forgets the session; entries stay and keep the token they were written under. */
  reset(): void;
}

interface Stored {
  token?: string;
  entries: Entry[];
}

/** Storage is read anew each time: another tab of the site may have changed it. `storage` undefined keeps all in memory. */
export function createOutbox(name: string, storage: () => Storage | undefined): Outbox {
  let memory: Stored = { entries: [] };
  let durable = true;

  function read(): Stored {
    if (!durable) return memory;
    try {
      const stored = JSON.parse(storage()!.getItem(name) || "null") as Stored | null;
      return { token: memory.token, entries: [], ...stored };
    } catch {
      durable = false;
      return memory;
    }
  }

  function write(state: Stored): void {
    memory = state;
    if (!durable) return;
    try {
      storage()!.setItem(name, JSON.stringify(state));
    } catch {
      durable = false;
    }
  }

  function change(id: string, edit: (entry: Entry) => void): void {
    const state = read();
    const entry = state.entries.find((e) => e.id === id);
    if (!entry) return;
    edit(entry);
    write(state);
  }

  function token(): string {
    return (memory.token = read().token || memory.token || resumeToken());
  }

  /** Entries still worth trying; the too old ones are marked as failed on the way. */
  function waiting(): Entry[] {
    const now = Date.now();
    for (const { id, at, error } of read().entries) {
      if (!error && now - at > GIVE_UP_MS) change(id, (entry) => (entry.error = "expired"));
    }
    return read().entries.filter((entry) => !entry.error);
  }

  return {
    token,
    add(id, body) {
      const state = read();
      if (state.entries.length >= OUTBOX_LIMIT) return false;
      const at = Date.now();
      const entry = { id, token: token(), body, at, tries: 0, next: at, hold: at + IN_FLIGHT_MS };
      write({ token: entry.token, entries: [...state.entries, entry] });
      return entry;
    },
    remove(id) {
      const state = read();
      write({ ...state, entries: state.entries.filter((entry) => entry.id !== id) });
    },
    later(id, retryAfter = 0) {
      change(id, (entry) => {
        const now = Date.now();
        entry.next = now + fullJitter(entry.tries++, BACKOFF_BASE_MS, BACKOFF_CAP_MS);
        entry.hold = now + retryAfter;
      });
    },
    fail: (id, error) => change(id, (entry) => (entry.error = error)),
    due(eager) {
      const now = Date.now();
      return waiting().filter(({ next, hold }) => hold <= now && (eager || next <= now));
    },
    wait() {
      const times = waiting().map(({ next, hold }) => Math.max(next, hold));
      return times.length ? Math.max(0, Math.min(...times) - Date.now()) : undefined;
    },
    failed: () => (waiting(), read().entries.find((entry) => entry.error)),
    durable: () => (read(), durable),
    reset() {
      const { entries } = read();
      memory = { entries };
      if (entries.length) write(memory);
      else if (durable) storage()!.removeItem(name);
    },
  };
}
