import type { Host } from "./host";
import { backoff } from "./jitter";
import type { Position } from "./position";
import { STABLE_MS } from "./socket";
import { readStream } from "./stream";

/** How long one poll may wait for an event, in seconds: what the server takes at most. */
const POLL_WAIT_S = 25;
/** The server says something every 15 s, and better at once: what is later than that is held back on the way. */
const FIRST_BYTE_MS = 17_000;
/** A stream that has flowed may stall on a slow network for longer. */
const SILENCE_MS = 25_000;
/** A poll that is not answered in its time and this grace never will be. */
const POLL_TIMEOUT_MS = 35_000;
/** An empty answer sooner than this did not wait: the next one must not follow at once. */
const EMPTY_SOONEST_MS = 1_000;
/** Streams that ended early before they are given up for polls. */
const MAX_STRIKES = 2;

/** `waiting`: it failed and is tried again. */
export type FeedState = "streaming" | "polling" | "waiting";

/** What a poll is answered with. */
export interface Batch<In> {
  epoch: string;
  head: number;
  events: readonly In[];
}

export interface FeedOptions<In> {
  /** Where to go on; null: from the end of the log, which `onStart` then names. */
  from: Position | null;
  /** Asks for Server-Sent Events after `lastEventId` (`epoch:seq`). Rejects unless the answer is a success. */
  stream(lastEventId: string, abort: AbortSignal): Promise<Response>;
  /** Asks for what comes after `at`, waiting up to `wait` seconds; with null only for where the log ends. */
  poll(at: Position | null, wait: number, abort: AbortSignal): Promise<Batch<In>>;
  /** Reading has begun after `at`: once, before the first event. */
  onStart(at: Position): void;
  onEvent(event: In): void;
  /** `wait` is the time in milliseconds until the next attempt. */
  onState(state: FeedState, wait?: number): void;
  /** A request was refused. True: for good, so there is no further one, and no further call. */
  refused(error: unknown): boolean;
}

/** What a feed reads of an event, whatever the rest of the union says. */
interface Numbered {
  type: string;
  epoch?: string;
  seq?: number;
  data?: { retry_after_ms?: number };
}

/** A numbered log, read over plain HTTP. */
export interface Feed {
  /** Good news: tries now what waits. */
  hasten(): void;
  /** Ends it for good; no callback fires afterwards. */
  close(): void;
}

/**
 * Reads a log over HTTP where no socket can be had: as Server-Sent Events where they flow, by long polls where something
 * on the way holds them back. Every request goes on after the last number seen, so that nothing is missed in between.
 */
export function openFeed<In extends { type: string }>(options: FeedOptions<In>, host: Host = globalThis): Feed {
  const { clearTimeout, setTimeout, Date } = host;
  let at = options.from;
  let started = false;
  /** Polls get through. Until that is known nothing may take its time: somebody waits to be told whether this works. */
  let polling = false;
  let closed = false;
  let strikes = 0;
  let attempt = 0;
  /** The server's word on when to come back, which no good news cuts short. */
  let earliest = 0;
  let request = new AbortController();
  let silence: ReturnType<typeof setTimeout> | undefined;
  let resume = (): void => undefined;

  /** Ends the present request unless it is called again within the time. */
  function expect(ms: number): void {
    clearTimeout(silence);
    silence = setTimeout(() => request.abort(), ms);
  }

  function start(state: FeedState): void {
    if (!started && at) options.onStart(at);
    started = true;
    if (!closed) options.onState(state);
  }

  function hand(event: In | null): void {
    const { type, epoch, seq, data } = (event ?? {}) as Partial<Numbered>;
    if (closed || !event || typeof type !== "string") return;
    if (type === "GoingAway") earliest = Date.now() + (data?.retry_after_ms || 0);
    if (epoch && seq) at = { epoch, seq };
    try {
      options.onEvent(event);
    } catch (error) {
      // A listener's mistake: reported as the page's, and no reason to end the stream.
      setTimeout(() => { throw error; }, 0);
    }
  }

  function parse(text: string): void {
    try {
      hand(JSON.parse(text));
    } catch {
      // A newer server may say what this build cannot read.
    }
  }

  /** The body of a stream, or null where there is none to be had: another kind of answer, or none in time. */
  async function open(from: Position): Promise<ReadableStream<Uint8Array> | null> {
    expect(FIRST_BYTE_MS);
    try {
      const { headers, body } = await options.stream(`${from.epoch}:${from.seq}`, request.signal);
      return headers.get("Content-Type")?.startsWith("text/event-stream") ? body : null;
    } catch (error) {
      if (request.signal.aborted) return null;
      throw error;
    }
  }

  /** Resolves when it has ended, to whether there has to be a pause. */
  async function stream(from: Position): Promise<boolean> {
    const body = await open(from);
    const began = Date.now();
    let heard = false;
    function alive(): void {
      if (closed) return;
      expect(SILENCE_MS);
      if (!heard) start("streaming");
      heard = true;
    }
    if (body) {
      expect(FIRST_BYTE_MS);
      await readStream(body, alive, parse).catch(() => undefined);
    }
    const healthy = Date.now() - began >= STABLE_MS;
    if (healthy) attempt = strikes = 0;
    else strikes = heard ? strikes + 1 : MAX_STRIKES;
    return strikes < MAX_STRIKES;
  }

  /** Resolves when it is answered, to whether there has to be a pause: after an answer that came empty and at once. */
  async function poll(from: Position): Promise<boolean> {
    const began = Date.now();
    expect(POLL_TIMEOUT_MS);
    const { events } = await options.poll(from, polling ? POLL_WAIT_S : 0, request.signal);
    if (closed) return false;
    const early = polling && !events.length && Date.now() - began < EMPTY_SOONEST_MS;
    if (!early) attempt = 0;
    polling = true;
    start("polling");
    events.forEach(hand);
    return early;
  }

  async function once(): Promise<boolean> {
    if (!at) {
      expect(FIRST_BYTE_MS);
      const { epoch, head } = await options.poll(null, 0, request.signal);
      if (closed) return false;
      at = { epoch, seq: head };
    }
    return strikes < MAX_STRIKES ? stream(at) : poll(at);
  }

  /** As long as the back-off says, or the server where that is longer. */
  function pause(failed: boolean): Promise<void> {
    const wait = Math.max(0, earliest - Date.now()) + backoff(attempt++);
    if (failed) options.onState("waiting", wait);
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, wait);
      resume = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  async function run(): Promise<void> {
    while (!closed) {
      request = new AbortController();
      let rest = true;
      let failed = false;
      try {
        rest = await once();
      } catch (error) {
        failed = true;
        polling = false;
        closed ||= options.refused(error);
      }
      clearTimeout(silence);
      request.abort();
      if (rest && !closed) await pause(failed);
    }
  }

  // Never synchronously: the caller's callbacks may use the value this function has yet to return.
  void Promise.resolve().then(run);
  return {
    hasten() {
      if (Date.now() >= earliest) resume();
    },
    close() {
      closed = true;
      clearTimeout(silence);
      request.abort();
      resume();
    },
  };
}
