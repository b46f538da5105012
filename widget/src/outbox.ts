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
/** The same while files are uploaded; longer than the pauses between two signs of life in a tab that is hidden, a minute. */
const UPLOADING_MS = 90_000;

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
  /** When it was written; 0 once it was refused for good. Neither those nor the too old ones are tried again. */
  at: number;
  tries: number;
  /** Our own back-off, which good news (online, visible again) may cut short. */
  next: number;
  /** The server's word (Retry-After), which nothing cuts short. */
  hold: number;
  /** The names of its files that have not arrived. While it has them it is its page's to send, unless that is gone. */
  missing?: string[];
}

export interface Outbox {
  /** This visitor's secret. Made in memory; written to storage only together with an entry. */
  token(): string;
  /** Written before the first attempt, so that a page that goes away meanwhile loses nothing. Undefined: full. */
  add(id: string, body: Feedback, missing?: string[]): Entry | undefined;
  /**
   * Its files have come this far, and its page is still there. False: that was too late, and another page sends it
   * without them. Undefined: it is not here, because it was sent like that, or was never or is no longer kept.
   */
  progress(id: string, body: Feedback, missing: string[]): boolean | undefined;
  /** It goes out without what is missing; the visitor is told of that when the panel is open. */
  part(entry: Entry): Entry;
  remove(id: string): void;
  later(id: string, retryAfter?: number): void;
  /** It goes out like this from now on. */
  revise(id: string, body: Feedback): void;
  fail(id: string): void;
  /** The next one that is due, for one attempt: until that is over nobody else is given it, in no tab. */
  claim(): Entry | undefined;
  /** Good news: ends our own back-off for all that waits. */
  hurry(): void;
  /** Milliseconds until something is due; Infinity when nothing waits. */
  wait(): number;
  /** One of this visitor's that will never be sent, for them to see. */
  failed(): Entry | undefined;
  /** Whether entries survive this page. */
  durable(): boolean;
  /** Another visitor, in all tabs. What waits keeps the token it was written under. */
  reset(): void;
  /** Reads, edits, and writes where that changed something. */
  use<T>(edit: (state: Stored) => T): T;
}

/** A message to staff that is not known to have arrived. */
export interface Said {
  id: string;
  feedback_id: string;
  body: string;
  at: string;
}

/** What is kept of a visitor. Only `entries` outlast them. */
export interface Stored {
  /** There is none before the first submission. */
  token?: string;
  entries: Entry[];
  /** How far the server's log was heard. */
  epoch?: string;
  since?: number;
  /** The items that unread replies are in, once for each reply. */
  unread?: string[];
  said?: Said[];
  /** The names of files that messages went out without, of which the visitor was not told yet. */
  missed?: string[];
}

const EMPTY = '{"entries":[]}';

/** Storage is read anew each time: another tab may have changed it. Without storage everything stays in memory. */
export function createOutbox(name: string, storage: () => Storage | undefined): Outbox {
  let memory: Stored = JSON.parse(EMPTY);
  let durable = true;
  /** For the time in which no token is stored; made when it is asked for, which a page that loads need not pay for. */
  let own = "";

  const token = (state: Stored): string => state.token || (own ||= resumeToken());
  /** Still worth trying. */
  const waits = ({ at }: Entry): boolean => at > Date.now() - GIVE_UP_MS;
  const due = ({ next, hold }: Entry): number => Math.max(next, hold);

  /** Storage may be off, full or forbidden; what cannot be kept there is kept in memory from then on. */
  function safely(work: (storage: Storage) => void): void {
    try {
      if (durable) work(storage()!);
    } catch {
      durable = false;
    }
  }

  function use<T>(edit: (state: Stored) => T): T {
    let text = EMPTY;
    safely((storage) => {
      text = storage.getItem(name) || EMPTY;
      memory = JSON.parse(text);
    });
    // What will not be sent is for its writer to see. Where somebody else has come since, it is for nobody.
    memory.entries = memory.entries.filter((entry) => waits(entry) || entry.token === token(memory));
    const result = edit(memory);
    const edited = JSON.stringify(memory);
    if (edited !== text) safely((storage) => storage.setItem(name, edited));
    return result;
  }

  function change(id: string, edit: (entry: Entry) => void): void {
    use(({ entries }) => entries.filter((entry) => entry.id === id).forEach(edit));
  }

  return {
    token: () => use(token),
    add(id, body, missing) {
      const at = Date.now();
      return use((state) => {
        if (state.entries.length >= OUTBOX_LIMIT) return undefined;
        const entry = { id, token: (state.token = token(state)), body, at, tries: 0, next: at, hold: at + IN_FLIGHT_MS, missing };
        // That one is the storage's from now on: where it is cleared, the visitor is another.
        own = "";
        state.entries.push(entry);
        return entry;
      });
    },
    progress: (id, body, missing) =>
      use(({ entries }) => {
        const entry = entries.find((entry) => entry.id === id);
        const [some] = missing;
        const hold = Date.now() + (some ? UPLOADING_MS : IN_FLIGHT_MS);
        return entry && !!(entry.missing && Object.assign(entry, { body, hold, missing: some && missing }));
      }),
    part({ id, body, missing }) {
      return use((state) => {
        const entry = state.entries.find((entry) => entry.id === id)!;
        entry.missing = undefined;
        entry.body = { ...body, context: { ...(body.context as object), lost_files: missing!.length } };
        if (entry.token === token(state)) (state.missed ||= []).push(...missing!);
        return entry;
      });
    },
    remove: (id) => use((state) => void (state.entries = state.entries.filter((entry) => entry.id !== id))),
    later(id, retryAfter = 0) {
      change(id, (entry) => {
        entry.next = Date.now() + fullJitter(entry.tries++, BACKOFF_BASE_MS, BACKOFF_CAP_MS);
        // Longer it will not wait anyway, nor could a timer.
        entry.hold = Date.now() + Math.min(retryAfter, GIVE_UP_MS);
      });
    },
    revise: (id, body) => change(id, (entry) => (entry.body = body)),
    fail: (id) => change(id, (entry) => (entry.at = 0)),
    claim: () =>
      use(({ entries }) => {
        const now = Date.now();
        const entry = entries.find((entry) => waits(entry) && due(entry) <= now);
        if (entry) entry.hold = now + IN_FLIGHT_MS;
        return entry;
      }),
    hurry: () => use(({ entries }) => entries.forEach((entry) => (entry.next = 0))),
    wait: () => use(({ entries }) => Math.min(...entries.filter(waits).map(due))) - Date.now(),
    failed: () => use(({ entries }) => entries.find((entry) => !waits(entry))),
    durable: () => durable,
    reset() {
      own = "";
      // What is being written in this tab; the script that keeps it may not be here yet.
      try {
        sessionStorage.removeItem(`${name}:draft`);
      } catch {}
      use(({ token, entries }) => (memory = { token: token && resumeToken(), entries }));
    },
    use,
  };
}
