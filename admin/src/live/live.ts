import { batch, signal, type ReadonlySignal } from "@preact/signals";
import { assertNever, type Socket, type SocketOptions, type SocketState } from "../../../realtime/protocol/ts";
import { liveDrafts, withDraft, withoutDraft, type Draft } from "../inbox/drafts";
import type { ClientEvent, ServerEvent } from "./events";
import { step, type Position } from "./log";

/** `connecting` is the first attempt only; after that a lost connection is being regained or given up. */
export type Connection = "connecting" | "connected" | "reconnecting" | "offline";

type Data<T extends ServerEvent["type"]> = Extract<ServerEvent, { type: T }>["data"];

/** What a page wants to know of one project's log. Repeats are dropped before and gaps are filled before later events. */
export interface Listener {
  received(data: Data<"FeedbackReceived">): void;
  updated(data: Data<"FeedbackUpdated">): void;
  erased(data: Data<"FeedbackErased">): void;
  /** Live from here on, but not from before: read again. `everything`: what is on screen cannot be trusted any more. */
  fresh(everything: boolean): void;
}

export interface Live {
  connection: ReadonlySignal<Connection>;
  /** Visitors on the watched project's pages now; null until the server has told. */
  visitors: ReadonlySignal<number | null>;
  drafts: ReadonlySignal<readonly Draft[]>;
  /** Follows one project; a dashboard shows one at a time, so watching another ends the first. Returns the way out. */
  watch(projectId: string, listener: Listener): () => void;
  close(): void;
}

export interface LiveDeps {
  open(options: SocketOptions<ServerEvent>): Socket<ClientEvent>;
  ticketUrl(): Promise<string>;
  /** A fresh access token; null when the session is over. */
  refresh(): Promise<string | null>;
  online(): boolean;
  now(): number;
}

interface Watch {
  projectId: string;
  listener: Listener;
  position: Position | null;
  /** A Subscribe is unanswered: numbered events until then belong to the old subscription and are dropped. */
  pending: boolean;
  everything: boolean;
}

/** No connection for this long is called offline: "reconnecting" for minutes would be a promise nobody keeps. */
const givenUpMs = 20_000;

/**
 * One connection and what is known through it. Everything in here is replaceable: after any doubt (gap, other epoch,
 * lost socket) the log is read again, and listeners hear each change once.
 */
export function createLive(deps: LiveDeps): Live {
  const connection = signal<Connection>("connecting");
  const visitors = signal<number | null>(null);
  const drafts = signal<readonly Draft[]>([]);
  let watched: Watch | null = null;
  let giveUp: ReturnType<typeof setTimeout> | undefined;
  const sweep = setInterval(() => (drafts.value = liveDrafts(drafts.peek(), deps.now())), 5_000);

  /** With a position: everything after it. Without: live from the head. An unsent Subscribe is repeated on connecting. */
  function subscribe(watch: Watch): void {
    const { projectId: project_id, position } = watch;
    watch.pending = socket.send({
      type: "Subscribe",
      data: position ? { project_id, epoch: position.epoch, since: position.seq } : { project_id },
    });
  }

  /** Ephemeral state is worthless without a connection: the visitors may have left since. */
  function forget(): void {
    batch(() => {
      visitors.value = null;
      drafts.value = [];
    });
  }

  /** Lets a numbered event of the watched project through once and in order. */
  function inOrder(projectId: string, event: { epoch?: string; seq?: number }, apply: (listener: Listener) => void): void {
    const watch = watched;
    if (!watch || watch.projectId !== projectId || watch.pending || !event.epoch || !event.seq) return;
    const next = step(watch.position, event.epoch, event.seq);
    switch (next.kind) {
      case "apply":
        watch.position = next.position;
        apply(watch.listener);
        return;
      case "repeat":
        return;
      case "foreign":
        restart(watch);
        return;
      case "gap":
        subscribe(watch);
        return;
      default:
        assertNever(next);
    }
  }

  /** What is on screen may be from another history: start from the head and have it read anew. */
  function restart(watch: Watch): void {
    watch.position = null;
    watch.everything = true;
    subscribe(watch);
  }

  /** A resumed subscription needs nothing else, its replay follows; a new one begins at the head, after a hole. */
  function subscribed(data: Data<"Subscribed">): void {
    const watch = watched;
    if (!watch || watch.projectId !== data.project_id || !watch.pending) return;
    watch.pending = false;
    if (watch.position) return;
    watch.position = { epoch: data.epoch, seq: data.head };
    const everything = watch.everything;
    watch.everything = false;
    watch.listener.fresh(everything);
  }

  async function reauthenticate(): Promise<void> {
    try {
      const token = await deps.refresh();
      if (token) socket.send({ type: "Reauthenticate", data: { token } });
    } catch {
      // Unreachable: the server closes with 4004 and the next ticket is asked for with a fresh token.
    }
  }

  /** Every event of the contract has its case: a new one does not compile until somebody decides about it. */
  function onEvent(event: ServerEvent): void {
    switch (event.type) {
      case "Connected":
        clearTimeout(giveUp);
        connection.value = "connected";
        if (watched) subscribe(watched);
        return;
      case "Subscribed":
        return subscribed(event.data);
      case "FeedbackReceived":
        return inOrder(event.data.project_id, event, (listener) => {
          drafts.value = withoutDraft(drafts.peek(), event.data.visitor?.session_id ?? "");
          listener.received(event.data);
        });
      case "FeedbackUpdated":
        return inOrder(event.data.project_id, event, (listener) => listener.updated(event.data));
      case "FeedbackErased":
        return inOrder(event.data.project_id, event, (listener) => listener.erased(event.data));
      case "DraftChanged":
        if (watched?.projectId === event.data.project_id) drafts.value = withDraft(drafts.peek(), event.data, deps.now());
        return;
      case "PresenceState":
        if (watched?.projectId === event.data.project_id) visitors.value = event.data.visitors;
        return;
      case "ResyncRequired":
        if (watched?.projectId === event.data.project_id) restart(watched);
        return;
      case "AuthExpiring":
        void reauthenticate();
        return;
      case "GoingAway":
      case "Pong":
        // The socket client acts on these itself.
        return;
      case "Error":
        console.warn(`socket: ${event.data.code}: ${event.data.message}`);
        return;
      default:
        assertNever(event);
    }
  }

  /** Open is not connected: that is what the server's own first event says. */
  function onState(state: SocketState, code?: number): void {
    // 4501 and 4502 say that the session is gone; the refresh finds out and leads to the sign-in page.
    if (code === 4501 || code === 4502) void deps.refresh().catch(() => undefined);
    if (state === "stopped") connection.value = "offline";
    if (state !== "waiting" && state !== "connecting") return;
    forget();
    if (connection.peek() === "connected") {
      connection.value = deps.online() ? "reconnecting" : "offline";
      clearTimeout(giveUp);
      giveUp = setTimeout(() => (connection.value = "offline"), givenUpMs);
    } else if (code !== undefined && connection.peek() === "connecting") {
      connection.value = "reconnecting";
    }
  }

  const socket = deps.open({ url: deps.ticketUrl, protocol: "earshot.v1+json", onEvent, onState, immediate: true });

  return {
    connection,
    visitors,
    drafts,
    watch(projectId, listener) {
      if (watched) socket.send({ type: "Unsubscribe", data: { project_id: watched.projectId } });
      const watch: Watch = { projectId, listener, position: null, pending: false, everything: false };
      watched = watch;
      forget();
      subscribe(watch);
      return () => {
        if (watched !== watch) return;
        watched = null;
        forget();
        socket.send({ type: "Unsubscribe", data: { project_id: projectId } });
      };
    },
    close() {
      clearInterval(sweep);
      clearTimeout(giveUp);
      socket.close();
    },
  };
}
