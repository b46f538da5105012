import { batch, signal, type ReadonlySignal } from "@preact/signals";
import type { LinkState } from "../../../realtime/client";

/**
 * `connecting` is the first attempt only; after that a lost connection is being regained or given up. `streaming` and
 * `polling` are live, too, by a way round what admits no sockets. `ended`: the server said that the session is over.
 */
export type Connection = "connecting" | "connected" | "streaming" | "polling" | "reconnecting" | "offline" | "ended";

/** No connection for this long is called offline: "reconnecting" for minutes would be a promise nobody keeps. */
const givenUpMs = 20_000;

/** What the link's states mean to the person in front of the screen. */
export interface ConnectionWatch {
  state: ReadonlySignal<Connection>;
  /** When the next attempt is due, by the same clock; null while none is planned or one is under way. */
  retryAt: ReadonlySignal<number | null>;
  /** `wait` is the time in milliseconds until the next attempt. */
  moved(state: LinkState, wait?: number): void;
  /** The server said not to come back. `ended`: because of the session. */
  stopped(ended: boolean): void;
  close(): void;
}

/** `online` is the browser's own opinion. It is believed only when it says no. */
export function createConnectionWatch(online: () => boolean, now: () => number): ConnectionWatch {
  const state = signal<Connection>("connecting");
  const retryAt = signal<number | null>(null);
  let giveUp: ReturnType<typeof setTimeout> | undefined;

  function show(next: Connection): void {
    clearTimeout(giveUp);
    giveUp = undefined;
    batch(() => {
      state.value = next;
      retryAt.value = null;
    });
  }

  function lost(wait: number): void {
    if (!giveUp && state.peek() !== "offline") {
      show(online() ? "reconnecting" : "offline");
      giveUp = setTimeout(() => (state.value = "offline"), givenUpMs);
    }
    retryAt.value = now() + wait;
  }

  return {
    state,
    retryAt,
    moved(next, wait = 0) {
      if (next === "open") show("connected");
      else if (next === "streaming" || next === "polling") show(next);
      else if (next === "waiting") lost(wait);
      else if (next === "connecting") retryAt.value = null;
    },
    stopped: (ended) => show(ended ? "ended" : "offline"),
    close: () => clearTimeout(giveUp),
  };
}
