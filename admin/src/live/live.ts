import { batch, signal, type ReadonlySignal } from "@preact/signals";
import { assertNever, type Socket, type SocketOptions } from "../../../realtime/protocol/ts";
import { liveDrafts, withDraft, withoutDraft, type Draft } from "../inbox/drafts";
import { createConnectionWatch, type Connection } from "./connection";
import type { ClientEvent, ServerEvent } from "./events";
import { createFollower, type Follower, type Listener } from "./follow";

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
  /** The watched project was deleted by somebody else. Told once; it is not watched any more. */
  deleted(projectId: string): void;
  online(): boolean;
  now(): number;
}

/** How often abandoned drafts are looked for: late enough to cost nothing, early against their lifetime. */
const sweepMs = 5_000;

/**
 * One connection and what is known through it. Everything in here is replaceable: after any doubt (gap, other epoch,
 * lost socket) the log is read again, and listeners hear each change once.
 */
export function createLive(deps: LiveDeps): Live {
  const connection = createConnectionWatch(deps.online);
  const crowd = createCrowd(deps.now);
  const follower = createFollower((event) => socket.send(event));

  async function reauthenticate(): Promise<void> {
    try {
      const token = await deps.refresh();
      if (token) socket.send({ type: "Reauthenticate", data: { token } });
    } catch {
      // Unreachable: the server closes with 4004 and the next ticket is asked for with a fresh token.
    }
  }

  const socket = deps.open({
    url: deps.ticketUrl,
    protocol: "earshot.v1+json",
    immediate: true,
    onEvent: (event) => dispatch(event, { follower, crowd, connected: connection.connected, deleted, reauthenticate }),
    onState(state, code) {
      // 4501 and 4502 say that the session is gone; the refresh finds out and leads to the sign-in page.
      if (code === 4501 || code === 4502) void deps.refresh().catch(() => undefined);
      if (state === "waiting" || state === "connecting") crowd.forget();
      connection.moved(state, code);
    },
  });

  function deleted(projectId: string): void {
    crowd.forget();
    deps.deleted(projectId);
  }

  return {
    connection: connection.state,
    visitors: crowd.visitors,
    drafts: crowd.drafts,
    watch(projectId, listener) {
      crowd.forget();
      follower.watch(projectId, listener);
      return () => follower.unwatch(listener) && crowd.forget();
    },
    close() {
      crowd.close();
      connection.close();
      socket.close();
    },
  };
}

type Crowd = ReturnType<typeof createCrowd>;

/** Who is on the site and writing. Never stored, and worthless without a connection: the visitors may have left since. */
function createCrowd(now: () => number) {
  const visitors = signal<number | null>(null);
  const drafts = signal<readonly Draft[]>([]);
  const sweep = setInterval(() => (drafts.value = liveDrafts(drafts.peek(), now())), sweepMs);
  return {
    visitors,
    drafts,
    drafted: (data: Parameters<typeof withDraft>[1]): void => void (drafts.value = withDraft(drafts.peek(), data, now())),
    /** What was sent is a draft no more, even where the visitor's own word for it is still on its way. */
    sent: (sessionId: string): void => void (drafts.value = withoutDraft(drafts.peek(), sessionId)),
    forget: (): void =>
      batch(() => {
        visitors.value = null;
        drafts.value = [];
      }),
    close: (): void => clearInterval(sweep),
  };
}

interface Receivers {
  follower: Follower;
  crowd: Crowd;
  connected(): void;
  deleted(projectId: string): void;
  reauthenticate(): Promise<void>;
}

/** Every event of the contract has its case: a new one does not compile until somebody decides about it. */
function dispatch(event: ServerEvent, to: Receivers): void {
  const { follower, crowd } = to;
  switch (event.type) {
    case "Connected":
      to.connected();
      return follower.connected();
    case "Subscribed":
      return follower.subscribed(event.data);
    case "FeedbackReceived":
      return follower.inOrder(event.data.project_id, event, (listener) => {
        crowd.sent(event.data.visitor?.session_id ?? "");
        listener.received(event.data);
      });
    case "FeedbackUpdated":
      return follower.inOrder(event.data.project_id, event, (listener) => listener.updated(event.data));
    case "FeedbackErased":
      return follower.inOrder(event.data.project_id, event, (listener) => listener.erased(event.data));
    case "DraftChanged":
      if (follower.project() === event.data.project_id) crowd.drafted(event.data);
      return;
    case "PresenceState":
      if (follower.project() === event.data.project_id) crowd.visitors.value = event.data.visitors;
      return;
    case "ResyncRequired":
      if (follower.resync(event.data)) to.deleted(event.data.project_id);
      return;
    case "AuthExpiring":
      void to.reauthenticate();
      return;
    case "GoingAway":
    case "Pong":
      // The socket client acts on these itself.
      return;
    case "Error":
      // Deleted while nobody was connected: there was no subscription left to tell it to.
      if (event.data.code === "not_found" && event.re && follower.refused(event.re)) to.deleted(event.re);
      else console.warn(`socket: ${event.data.code}: ${event.data.message}`);
      return;
    default:
      assertNever(event);
  }
}
