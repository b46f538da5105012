import { openFeed, type Batch, type Detour, type DetourOptions, type Feed, type Position } from "../../../realtime/client";
import { assertNever } from "../../../realtime/protocol/ts";
import { Problem } from "../session/problem";
import type { ClientEvent, EventData, ServerEvent } from "./events";

/** The log of a project over HTTP. Both reject as the session's other calls do. */
export interface LogCalls {
  streamEvents(projectId: string, lastEventId: string, abort: AbortSignal): Promise<Response>;
  /** Waits up to `wait` seconds; with null it tells only where the log ends. */
  pollEvents(projectId: string, at: Position | null, wait: number, abort: AbortSignal): Promise<Batch<ServerEvent>>;
}

/**
 * Speaks the socket's events over HTTP: a Subscribe is answered by Subscribed and then by the log, so whoever follows it
 * need not know the difference. Ephemeral events come only where the stream has them.
 */
export function createDetour(calls: LogCalls, { onEvent, onState }: DetourOptions<ServerEvent>): Detour<ClientEvent> {
  let feed: Feed | null = null;
  let projectId: string | null = null;

  function stop(): void {
    feed?.close();
    feed = projectId = null;
  }

  function subscribe({ project_id, epoch, since }: EventData<"Subscribe", ClientEvent>, re?: string): void {
    stop();
    projectId = project_id;
    feed = openFeed<ServerEvent>({
      from: epoch && since !== undefined ? { epoch, seq: since } : null,
      stream: (lastEventId, abort) => calls.streamEvents(project_id, lastEventId, abort),
      poll: (at, wait, abort) => calls.pollEvents(project_id, at, wait, abort),
      onStart: (at) => onEvent({ type: "Subscribed", re, data: { project_id, epoch: at.epoch, head: at.seq } }),
      onEvent,
      onState,
      refused(error) {
        if (!(error instanceof Problem) || error.code !== "not_found") return false;
        stop();
        onEvent({ type: "Error", re, data: { code: "not_found", message: error.message } });
        return true;
      },
    });
  }

  return {
    idle: () => feed === null,
    send(event) {
      switch (event.type) {
        case "Subscribe":
          subscribe(event.data, event.id);
          return true;
        case "Unsubscribe":
          if (event.data.project_id === projectId) stop();
          return true;
        case "Reauthenticate":
        case "Ping":
          // Each request has a token and an answer of its own.
          return true;
        case "ReplySent":
        case "NoteAdded":
        case "NoteEdited":
        case "NoteDeleted":
        case "Viewing":
        case "JobRequested":
        case "JobCancelled":
          // Messages and jobs have calls of their own, and presence has none: whoever has no socket is not seen.
          return false;
        default:
          assertNever(event);
          return false;
      }
    },
    hasten: () => feed?.hasten(),
    close: stop,
  };
}
