import type { SocketHost } from "./host";
import { backoff } from "./jitter";

/** What lived this long was healthy: the next loss starts the back-off anew. */
export const STABLE_MS = 30_000;
/** Grace for a slow network, both before we ask with a Ping and before we give up on its answer. */
const MARGIN_MS = 5_000;
const DEFAULT_HEARTBEAT_MS = 25_000;
/** Own close code for a connection that is open in name only; below 4500, so the server sees an intent to return. */
const HEARTBEAT_LOST = 4001;

/** `waiting`: a reconnect is due. `stopped`: no further attempt will be made, by `close()` or by a code of 4500–4999. */
export type SocketState = "connecting" | "open" | "waiting" | "stopped";

export interface SocketOptions<In> {
  /**
   * Asked before every connection, so that it may fetch a fresh ticket. A rejection counts as a failed attempt, and so
   * does silence for as long as a handshake may take; what comes later is dropped.
   */
  url(): string | Promise<string>;
  protocol: string;
  /** Each event of the server, including those this client acts on itself (`Connected`, `GoingAway`, `Pong`). */
  onEvent(event: In): void;
  /**
   * `code` is the close code of a connection that ended or never opened, 0 where there was not even an address.
   * `wait` is the time in milliseconds until the next attempt.
   */
  onState(state: SocketState, code?: number, wait?: number): void;
  /** Skip the jitter of the first attempt: for somebody who just asked for it, whom no crowd comes along with. */
  immediate?: boolean;
}

/** A way to send typed events, whatever carries them. */
export interface Carrier<Out> {
  /** False when there is no connection: the event was not sent and is not queued. True promises no delivery. */
  send(event: Out): boolean;
  /** Good news (online, visible again): tries now what waits, and asks for a sign of life of what seems to be open. */
  hasten(): void;
  /** Ends it for good; no callback fires afterwards. */
  close(): void;
}

/** What this client reads of an event, whatever the rest of the union says. */
interface Timing {
  type: string;
  data?: { heartbeat_ms?: number; retry_after_ms?: number };
}

/**
 * A typed WebSocket that keeps itself alive: it reconnects with full jitter (0.5 s to 30 s), obeys `GoingAway`, and
 * finds half-open connections with an application-level `Ping`, since browsers hide the protocol's own.
 * Frames that are not JSON objects with a `type` are dropped: a newer server may say what this build cannot read.
 */
export function openSocket<In extends { type: string }, Out extends { type: string }>(
  { url, protocol, onEvent, onState, immediate }: SocketOptions<In>,
  { setTimeout, clearTimeout, Date, WebSocket }: SocketHost = globalThis,
): Carrier<Out> {
  let state: SocketState = "waiting";
  let attempt = 0;
  /** The server's word on when to come back, which no good news cuts short. */
  let earliest = 0;
  let heartbeat = DEFAULT_HEARTBEAT_MS;
  let socket: WebSocket | undefined;
  let openedAt = Infinity;
  /** Waits for the next attempt, or for a sign of life: never for both. None once a connection is dropped. */
  let timer: ReturnType<typeof setTimeout> | undefined;

  function become(next: SocketState, code?: number, wait?: number): void {
    state = next;
    onState(next, code, wait);
  }

  function after(ms: number, work: () => void): void {
    clearTimeout(timer);
    timer = setTimeout(work, ms);
  }

  function drop(code: number): void {
    clearTimeout(timer);
    timer = undefined;
    const old = socket;
    socket = undefined;
    // A half-open socket may take minutes to report its close: nobody listens to it any more.
    old?.close(code);
  }

  /** Returns the time until the next attempt, which is `more` later than the server asks for. */
  function again(more: number): number {
    const wait = Math.max(0, earliest - Date.now()) + more;
    after(wait, connect);
    return wait;
  }

  function lost(code = 0): void {
    drop(HEARTBEAT_LOST);
    if (code >= 4500 && code < 5000) return become("stopped", code);
    if (Date.now() - openedAt >= STABLE_MS) attempt = 0;
    openedAt = Infinity;
    become("waiting", code, again(backoff(attempt++)));
  }

  /** Silence for `quiet` is asked about; silence after that is the end. */
  function listen(quiet: number): void {
    after(quiet, () => {
      if (socket?.readyState === 1) socket.send('{"type":"Ping","data":{}}');
      after(MARGIN_MS, () => lost(HEARTBEAT_LOST));
    });
  }

  function receive(frame: string): void {
    let event: (In & Timing) | null | undefined;
    try {
      event = JSON.parse(frame);
    } catch {}
    heartbeat = event?.data?.heartbeat_ms || heartbeat;
    listen(heartbeat + MARGIN_MS);
    if (typeof event?.type !== "string") return;
    if (event.type === "GoingAway") earliest = Date.now() + (event.data?.retry_after_ms || 0);
    onEvent(event);
  }

  async function connect(): Promise<void> {
    after(2 * MARGIN_MS, lost);
    // This attempt's own: where it is another one, or none, an answer comes too late.
    const bound = timer;
    become("connecting");
    try {
      const address = await url();
      if (timer === bound) attend(new WebSocket(address, protocol));
    } catch {
      if (timer === bound) lost();
    }
  }

  function attend(next: WebSocket): void {
    socket = next;
    // Also bounds a handshake that nobody answers.
    listen(MARGIN_MS);
    next.onopen = () => {
      if (socket !== next) return;
      openedAt = Date.now();
      become("open");
    };
    next.onmessage = ({ data }) => {
      if (socket === next) receive(data);
    };
    next.onclose = ({ code }) => {
      if (socket === next) lost(code);
    };
  }

  // Never synchronously: the caller's callbacks may use the value this function has yet to return.
  again(immediate ? 0 : backoff(attempt++));

  return {
    send(event) {
      if (socket?.readyState !== 1) return false;
      socket.send(JSON.stringify(event));
      return true;
    },
    hasten() {
      if (socket) listen(0);
      else if (state === "waiting") again(0);
    },
    close() {
      state = "stopped";
      drop(1000);
    },
  };
}
