import type { FeedState } from "./feed";
import type { Carrier, SocketOptions, SocketState } from "./socket";

/** Handshakes in a row that failed although the address was to be had: something on the way admits no sockets. */
const MAX_REFUSALS = 2;

/**
 * `connecting`: an attempt is under way and nothing else carries events. `open` is the socket, `streaming` and `polling`
 * are the ways round it. `waiting`: a connection is to be regained. `stopped`: the server said not to come back.
 */
export type LinkState = "connecting" | "open" | FeedState | "stopped";

/** What takes the socket's place, with the same events, while there is none. */
export interface Detour<Out> extends Carrier<Out> {
  /** Nothing is asked for at present, so it cannot know whether it works. */
  idle(): boolean;
}

export interface DetourOptions<In> {
  onEvent(event: In): void;
  onState(state: FeedState, wait?: number): void;
}

export interface LinkOptions<In, Out> {
  socket(options: Pick<SocketOptions<In>, "onEvent" | "onState">): Carrier<Out>;
  detour(options: DetourOptions<In>): Detour<Out>;
  /** Events of one way at a time: after a change of ways there is none of the old one. */
  onEvent(event: In): void;
  /** Another way is open, and its other end knows nothing of what was asked for before. */
  onReady(): void;
  /** `code` is a socket's close code, `wait` the time in milliseconds until the next attempt. */
  onState(state: LinkState, code?: number, wait?: number): void;
}

/**
 * A connection that goes round what admits no sockets: after two refused handshakes in a row the detour carries the
 * events, while the socket goes on trying; the moment that one has greeted (`Connected`), the detour is left.
 */
export function openLink<In extends { type: string }, Out>(options: LinkOptions<In, Out>): Carrier<Out> {
  const { onEvent, onReady, onState } = options;
  let refusals = 0;
  let greeted = false;
  let detour: Detour<Out> | undefined;

  function receive(event: In): void {
    if (event.type === "Connected") {
      leave();
      greeted = true;
      refusals = 0;
      onState("open");
      onEvent(event);
      return onReady();
    }
    // A socket that has not greeted has nothing to say while the detour speaks.
    if (!detour) onEvent(event);
  }

  function leave(): void {
    detour?.close();
    detour = undefined;
  }

  function round(): void {
    detour = options.detour({ onEvent, onState: (state, wait) => onState(state, undefined, wait) });
    onReady();
  }

  function moved(state: SocketState, code = 0, wait?: number): void {
    if (state === "stopped") {
      leave();
      return onState("stopped", code);
    }
    if (state === "connecting" && !detour) onState("connecting");
    if (state !== "waiting") return;
    // Without a code there was not even an address: the server is away, and no other way leads there.
    if (code && !greeted) refusals++;
    greeted = false;
    if (!detour && refusals >= MAX_REFUSALS) round();
    if (!detour) onState("waiting", code, wait);
    // Nothing is read at present. What the address was asked for with tells whether HTTP gets through.
    else if (detour.idle()) onState(code ? "polling" : "waiting", code, wait);
  }

  const socket = options.socket({ onEvent: receive, onState: moved });
  return {
    send: (event) => (detour ?? socket).send(event),
    hasten() {
      socket.hasten();
      detour?.hasten();
    },
    close() {
      leave();
      socket.close();
    },
  };
}
