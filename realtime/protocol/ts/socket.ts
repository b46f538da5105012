import { fullJitter } from "./jitter";

const BACKOFF_BASE_MS = 500;
const BACKOFF_CAP_MS = 30_000;
/** A socket that lived this long was healthy: the next loss starts the back-off anew. */
const STABLE_MS = 30_000;
/** Grace for a slow network, both before we ask with a Ping and before we give up on its answer. */
const MARGIN_MS = 5_000;
const DEFAULT_HEARTBEAT_MS = 25_000;
/** Own close code for a connection that is open in name only; below 4500, so the server sees an intent to return. */
const HEARTBEAT_LOST = 4001;

/** `waiting`: a reconnect is due. `stopped`: no further attempt will be made, by `close()` or by a code of 4500–4999. */
export type SocketState = "connecting" | "open" | "waiting" | "stopped";

export interface SocketOptions<In> {
  /** Asked before every connection, so that it may fetch a fresh ticket. A rejection counts as a failed attempt. */
  url(): string | Promise<string>;
  protocol: string;
  /** Each event of the server, including those this client acts on itself (`Connected`, `GoingAway`, `Pong`). */
  onEvent(event: In): void;
  /** `code` is the close code, where the change came from a closed connection. */
  onState?(state: SocketState, code?: number): void;
  /** Skip the jitter of the first attempt: for a visitor who just asked for the panel, not for a page that loads. */
  immediate?: boolean;
}

export interface Socket<Out> {
  /** False when the socket is not open: the event was not sent and is not queued. True promises no delivery. */
  send(event: Out): boolean;
  /** Ends it for good; no callback fires afterwards. */
  close(): void;
  readonly state: SocketState;
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
  options: SocketOptions<In>,
): Socket<Out> {
  let state: SocketState = "waiting";
  let attempt = 0;
  let retryAfter = 0;
  let heartbeat = DEFAULT_HEARTBEAT_MS;
  let socket: WebSocket | undefined;
  let openedAt = Infinity;
  /** Waits for the next attempt, or for a sign of life: never for both. */
  let timer: ReturnType<typeof setTimeout>;

  function become(next: SocketState, code?: number): void {
    state = next;
    options.onState?.(next, code);
  }

  function drop(code?: number): void {
    clearTimeout(timer);
    const old = socket;
    socket = undefined;
    // A half-open socket may take minutes to report its close: nobody listens to it any more.
    old?.close(code);
  }

  function retry(code?: number): void {
    if (Date.now() - openedAt >= STABLE_MS) attempt = 0;
    openedAt = Infinity;
    const wait = retryAfter + fullJitter(attempt++, BACKOFF_BASE_MS, BACKOFF_CAP_MS);
    retryAfter = 0;
    timer = setTimeout(connect, wait);
    become("waiting", code);
  }

  function heard(): void {
    clearTimeout(timer);
    timer = setTimeout(() => {
      if (socket?.readyState === 1) socket.send('{"type":"Ping","data":{}}');
      timer = setTimeout(() => {
        drop(HEARTBEAT_LOST);
        retry(HEARTBEAT_LOST);
      }, MARGIN_MS);
    }, heartbeat + MARGIN_MS);
  }

  function receive(frame: string): void {
    heard();
    let event: (In & Timing) | null;
    try {
      event = JSON.parse(frame);
    } catch {
      return;
    }
    if (typeof event?.type !== "string") return;
    if (event.type === "Connected" && event.data?.heartbeat_ms) {
      heartbeat = event.data.heartbeat_ms;
      heard();
    }
    if (event.type === "GoingAway") retryAfter = event.data?.retry_after_ms || 0;
    options.onEvent(event);
  }

  async function connect(): Promise<void> {
    become("connecting");
    let next: WebSocket;
    try {
      const url = await options.url();
      if (state !== "connecting") return;
      next = new WebSocket(url, options.protocol);
    } catch {
      if (state === "connecting") retry();
      return;
    }
    socket = next;
    // Also bounds a handshake that nobody answers.
    heard();
    next.onopen = () => {
      if (socket !== next) return;
      openedAt = Date.now();
      become("open");
    };
    next.onmessage = ({ data }) => {
      if (socket === next) receive(data);
    };
    next.onclose = ({ code }) => {
      if (socket !== next) return;
      drop();
      if (code >= 4500 && code < 5000) become("stopped", code);
      else retry(code);
    };
  }

  // Never synchronously: the caller's callbacks may use the value this function has yet to return.
  timer = setTimeout(connect, options.immediate ? 0 : fullJitter(attempt++, BACKOFF_BASE_MS, BACKOFF_CAP_MS));

  return {
    send(event) {
      if (state !== "open" || socket?.readyState !== 1) return false;
      socket.send(JSON.stringify(event));
      return true;
    },
    close() {
      state = "stopped";
      drop(1000);
    },
    get state() {
      return state;
    },
  };
}
