import { step, type Position, type Step } from "../../../realtime/client";
import { assertNever } from "../../../realtime/protocol/ts";
import type { ClientEvent, ConversationEvent, EventData } from "./events";

/** What a page wants to know of one project's log. Repeats are dropped before and gaps are filled before later events. */
export interface Listener {
  received(data: EventData<"FeedbackReceived">): void;
  updated(data: EventData<"FeedbackUpdated">): void;
  erased(data: EventData<"FeedbackErased">): void;
  conversed(event: ConversationEvent): void;
  /** Live from here on, but not from before: read again. `everything`: what is on screen cannot be trusted any more. */
  fresh(everything: boolean): void;
}

/** Reads one project's log at a time, in order, however often the connection or the server's memory of it is lost. */
export interface Follower {
  /** The watched project, null without one. Ephemeral events of any other are late and not shown. */
  project(): string | null;
  watch(projectId: string, listener: Listener): void;
  /** Ends that watch, and no younger one: pages are mounted before the one they replace is gone. True: it was followed. */
  unwatch(listener: Listener): boolean;
  /** A connection is there; the server knows nothing of earlier ones. */
  connected(): void;
  subscribed(data: EventData<"Subscribed">): void;
  /** The log cannot be resumed. Returns whether the project itself is no more; it is then watched no longer. */
  resync(data: EventData<"ResyncRequired">): boolean;
  /** An answer `not_found` to the Subscribe with this id. As with `resync`, true means that the project is no more. */
  refused(id: string): boolean;
  /** Lets a numbered event of the watched project through once and in order. */
  inOrder(projectId: string, event: { epoch?: string; seq?: number }, apply: (listener: Listener) => void): void;
}

interface Watch {
  projectId: string;
  listener: Listener;
  /** Null: start from the head. What was before it is read by other means. */
  position: Position | null;
  /** A Subscribe is unanswered: numbered events until then belong to the old subscription and are dropped. */
  pending: boolean;
  everything: boolean;
}

/** Lets `event` move the watch, or says what else it calls for. Events of an older subscription are repeats. */
function advance(watch: Watch, event: { epoch?: string; seq?: number }): Step["kind"] {
  if (watch.pending || !event.epoch || !event.seq) return "repeat";
  const next = step(watch.position, event.epoch, event.seq);
  if (next.kind === "apply") watch.position = next.position;
  return next.kind;
}

/** With a position: everything after it. Without: live from the head. */
function subscription({ projectId: project_id, position }: Watch): ClientEvent {
  return {
    type: "Subscribe",
    // Answers name the event that they answer, so with this id a refusal says which project it is about.
    id: project_id,
    data: position ? { project_id, epoch: position.epoch, since: position.seq } : { project_id },
  };
}

/** `send` returns whether the event went out; a Subscribe that did not is sent again by `connected`. */
export function createFollower(send: (event: ClientEvent) => boolean): Follower {
  let watched: Watch | null = null;
  const of = (projectId: string): Watch | null => (watched?.projectId === projectId ? watched : null);
  const subscribe = (watch: Watch): void => void (watch.pending = send(subscription(watch)));

  /** What is on screen may be from another history: start from the head and have it read anew. */
  function restart(watch: Watch): void {
    watch.position = null;
    watch.everything = true;
    subscribe(watch);
  }

  /** Forgets a project that is no more: to subscribe again would be refused again, for ever. */
  function gone(projectId: string): boolean {
    const found = of(projectId) !== null;
    if (found) watched = null;
    return found;
  }

  return {
    project: () => watched?.projectId ?? null,
    watch(projectId, listener) {
      if (watched) send({ type: "Unsubscribe", data: { project_id: watched.projectId } });
      watched = { projectId, listener, position: null, pending: false, everything: false };
      subscribe(watched);
    },
    unwatch(listener) {
      if (watched?.listener !== listener) return false;
      send({ type: "Unsubscribe", data: { project_id: watched.projectId } });
      watched = null;
      return true;
    },
    connected: () => watched && subscribe(watched),
    subscribed: (data) => begin(of(data.project_id), data),
    resync({ project_id, reason }) {
      if (reason === "project_deleted") return gone(project_id);
      const watch = of(project_id);
      if (watch) restart(watch);
      return false;
    },
    refused: gone,
    inOrder(projectId, event, apply) {
      const watch = of(projectId);
      if (!watch) return;
      const kind = advance(watch, event);
      switch (kind) {
        case "apply":
          return apply(watch.listener);
        case "repeat":
          return;
        case "foreign":
          return restart(watch);
        case "gap":
          return subscribe(watch);
        default:
          assertNever(kind);
      }
    },
  };
}

/** A resumed subscription needs nothing else, its replay follows; a new one begins at the head, after a hole. */
function begin(watch: Watch | null, { epoch, head }: EventData<"Subscribed">): void {
  // An answer to a Subscribe that a younger one has replaced; that one's own answer follows.
  if (!watch?.pending) return;
  watch.pending = false;
  if (watch.position) return;
  watch.position = { epoch, seq: head };
  const { everything } = watch;
  watch.everything = false;
  watch.listener.fresh(everything);
}
