import { signal, type ReadonlySignal } from "@preact/signals";
import type { SocketState } from "../../../realtime/protocol/ts";

/** `connecting` is the first attempt only; after that a lost connection is being regained or given up. */
export type Connection = "connecting" | "connected" | "reconnecting" | "offline";

/** No connection for this long is called offline: "reconnecting" for minutes would be a promise nobody keeps. */
const givenUpMs = 20_000;

/** What the socket's states mean to the person in front of the screen. */
export interface ConnectionWatch {
  state: ReadonlySignal<Connection>;
  /** Open is not connected: that is what the server's own first event says. */
  connected(): void;
  /** The socket changed its state; `code` is the close code where there is one. */
  moved(state: SocketState, code?: number): void;
  close(): void;
}

/** `online` is the browser's own opinion. It is believed only when it says no. */
export function createConnectionWatch(online: () => boolean): ConnectionWatch {
  const state = signal<Connection>("connecting");
  let giveUp: ReturnType<typeof setTimeout> | undefined;

  function lost(): void {
    state.value = online() ? "reconnecting" : "offline";
    clearTimeout(giveUp);
    giveUp = setTimeout(() => (state.value = "offline"), givenUpMs);
  }

  return {
    state,
    connected() {
      clearTimeout(giveUp);
      state.value = "connected";
    },
    moved(next, code) {
      // Stopped is for good: the server said not to come back.
      if (next === "stopped") state.value = "offline";
      if (next !== "waiting" && next !== "connecting") return;
      if (state.peek() === "connected") lost();
      // The first attempt has failed: there is a code, but nothing to be regained yet.
      else if (code !== undefined && state.peek() === "connecting") state.value = "reconnecting";
    },
    close: () => clearTimeout(giveUp),
  };
}
