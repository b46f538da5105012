import { fullJitter } from "../../realtime/client";
import type { components } from "../../realtime/protocol/ts";
import { resumeToken } from "./uuid";

export const OUTBOX_LIMIT = 20;
const BACKOFF_BASE_MS = 1_000;
const BACKOFF_CAP_MS = 300_000;
/** Seven days. After this nothing is tried any more: the visitor is shown the text instead. */
const GIVE_UP_MS = 604_800_000;
/** Keeps other tabs off an entry that this one is sending; longer than the whole ladder takes. */
const IN_FLIGHT_MS = 30_000;

/** The fields of a submission, equal on every way out: a repeated id with another payload is a conflict. */
export type Feedback = components["schemas"]["FeedbackSubmitted"];

/** What goes out, by whatever way. */
export interface Parcel {
  id: string;
  /** The session under which it was written; a later visitor of the same browser has another. */
  token: string;
  body: Feedback;
}

export interface Entry extends Parcel {
  at: number;
  tries: number;
  /** Our own back-off, which good news (online, visible again) may cut short. */
  next: number;
  /** The server's word (Retry-After), which nothing cuts short. */
  hold: number;
  /** It will not be tried again, and stays until the visitor has seen to it. */
  failed?: boolean;
}

export interface Outbox {
  /** This session's secret. Made in memory; written to storage only together with an entry. */
  token(): string;
  /** Written before the first attempt, so that a page that goes away meanwhile loses nothing. Undefined: full. */
  add(id: string, body: Feedback): Entry | undefined;
  remove(id: string): unknown;
  later(id: string, retryAfter?: number): void;
  fail(id: string): void;
  /** Claims an entry for one attempt, in this tab and all others. */
  hold(id: string): void;
  /** What may be tried now; `eager` ignores our own back-off. */
  due(eager?: boolean): Entry[];
  /** Milliseconds until something is due; Infinity when nothing waits. */
  wait(): number;
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

/** Storage is read anew each time: another tab may have changed it. Without storage everything stays in memory. */
export function createOutbox(name: string, storage: () => Storage | undefined): Outbox {
  let memory: Stored = { entries: [] };
  let durable = true;

  /** Reads, edits, and writes where something was edited. */
  function use<T>(edit: (state: Stored) => T, write?: boolean): T {
    try {
      if (durable) memory = { token: memory.token, ...(JSON.parse(storage()!.getItem(name)!) || { entries: [] }) };
    } catch {
      durable = false;
    }
    const result = edit(memory);
    try {
      if (durable && write) storage()!.setItem(name, JSON.stringify(memory));
    } catch {
      durable = false;
    }
    return result;
  }

  const token = () => use((state) => (state.token ||= resumeToken()));

  function change(id: string, edit: (entry: Entry) => void): void {
    use(({ entries }) => entries.filter((entry) => entry.id === id).forEach(edit), true);
  }

  /** Entries still worth trying. The too old ones count as failed. */
  function waiting(): Entry[] {
    const oldest = Date.now() - GIVE_UP_MS;
    return use(({ entries }) => entries.filter(({ failed, at }) => !failed && at > oldest));
  }

  return {
    token,
    add(id, body) {
      const at = Date.now();
      const entry = { id, token: token(), body, at, tries: 0, next: at, hold: at + IN_FLIGHT_MS };
      return use(({ entries }) => entries.length < OUTBOX_LIMIT && entries.push(entry) && entry, true) || undefined;
    },
    remove: (id) => use((state) => (state.entries = state.entries.filter((entry) => entry.id !== id)), true),
    later(id, retryAfter = 0) {
      change(id, (entry) => {
        entry.next = Date.now() + fullJitter(entry.tries++, BACKOFF_BASE_MS, BACKOFF_CAP_MS);
        entry.hold = Date.now() + retryAfter;
      });
    },
    fail: (id) => change(id, (entry) => (entry.failed = true)),
    hold: (id) => change(id, (entry) => (entry.hold = Date.now() + IN_FLIGHT_MS)),
    due: (eager) => waiting().filter(({ next, hold }) => Math.max(hold, eager ? 0 : next) <= Date.now()),
    wait: () => Math.min(...waiting().map(({ next, hold }) => Math.max(next, hold))) - Date.now(),
    failed() {
      const alive = waiting();
      return use(({ entries }) => entries.find(({ id }) => !alive.some((entry) => entry.id === id)));
    },
    durable: () => durable,
    reset() {
      if (use(({ token }) => token)) use((state) => (state.token = undefined), true);
    },
  };
}
