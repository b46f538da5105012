import { signal, type ReadonlySignal } from "@preact/signals";
import { openLink, type Carrier, type LinkState, type SocketOptions } from "../../../realtime/client";
import { assertNever } from "../../../realtime/protocol/ts";
import type { Draft } from "../inbox/drafts";
import { createAsking, type Asking, type Question } from "./asking";
import { createConnectionWatch, type Connection } from "./connection";
import { createCrowd, type Crowd } from "./crowd";
import { createDetour, type LogCalls } from "./detour";
import type { ClientEvent, ServerEvent } from "./events";
import { createFollower, type Follower, type Listener } from "./follow";
import { createJobFeed, type JobFeed } from "./jobs";
import type { Member, PagePresence } from "./presence";
import { createRenewal, type RenewalDeps } from "./renewal";
import { createViewing, type Viewing } from "./viewing";

export interface Live {
  connection: ReadonlySignal<Connection>;
  /** When the next attempt is due, by the clock given; null while none is planned. */
  retryAt: ReadonlySignal<number | null>;
  /** Does not wait for it. Also where the server said not to come back: a person may ask again. */
  tryNow(): void;
  /** Visitors on the watched project's pages now; null until the server has told. */
  visitors: ReadonlySignal<number | null>;
  drafts: ReadonlySignal<readonly Draft[]>;
  /** Where they are, as far as that is known: the pages with the most of them. */
  pages: ReadonlySignal<readonly PagePresence[]>;
  /** The staff in the watched project, oneself among them. */
  members: ReadonlySignal<readonly Member[]>;
  /** Raised with each durable change of the watched project, for what is counted anew rather than kept in step. */
  changes: ReadonlySignal<number>;
  /** What others see of this window. */
  viewing: Pick<Viewing, "open" | "typed" | "rested">;
  jobs: JobFeed["news"];
  /** Sends a message by the socket; see Asking. */
  ask(question: Question): Promise<void> | null;
  /** Follows one project; a dashboard shows one at a time, so watching another ends the first. Returns the way out. */
  watch(projectId: string, listener: Listener): () => void;
  close(): void;
}

export interface LiveDeps extends RenewalDeps {
  open(options: SocketOptions<ServerEvent>): Carrier<ClientEvent>;
  ticketUrl(): Promise<string>;
  /** The project's log over HTTP, for where no socket can be had. */
  log: LogCalls;
  /** What the watched project's log told, once and in order, after its listener. */
  heard?(event: ServerEvent): void;
  /** The server had ended what was open, and lets this person in again: what they may do is to be read anew. */
  returned?(): void;
  /** The watched project was deleted by somebody else. Told once; it is not watched any more. */
  deleted(projectId: string): void;
  online(): boolean;
  /** Calls back when the network or the person is back. Returns the way out. */
  wake(work: () => void): () => void;
  /** Calls back when the window is hidden or shown. Returns the way out. */
  visibility(work: (visible: boolean) => void): () => void;
}

/** Two ends by the server within this time are not a change of roles. */
const againMs = 2_000;

/**
 * One connection and what is known through it. Everything in here is replaceable: after any doubt (gap, other epoch,
 * lost socket) the log is read again, and listeners hear each change once.
 */
export function createLive(deps: LiveDeps): Live {
  const connection = createConnectionWatch(deps.online, deps.now);
  const crowd = createCrowd(deps.now);
  const follower = createFollower((event) => link.send(event));
  const renewal = createRenewal(deps, (token) => void link.send({ type: "Reauthenticate", data: { token } }));
  const jobs = createJobFeed();
  const asking = createAsking((event) => link.send(event));
  const viewing = createViewing((data) => void link.send({ type: "Viewing", data }));
  const changes = signal(0);
  let stopped = false;
  let over = false;
  let returnedAt = -Infinity;

  function deleted(projectId: string): void {
    crowd.forget();
    deps.deleted(projectId);
  }

  function moved(state: LinkState, code = 0, wait?: number): void {
    if (state !== "open") {
      crowd.forget();
      asking.lost();
    }
    stopped = state === "stopped";
    if (!stopped) return connection.moved(state, wait);
    renewal.stop();
    if (code === 4501 || code === 4502) void revoked();
    else connection.stopped(false);
  }

  /**
   * The session has ended, or what the person may do is another now: one refresh tells which. It leads to the sign-in page
   * by itself; with a fresh token all is opened anew. Not twice in a row, or a server that is at odds with itself would be
   * asked without end.
   */
  async function revoked(): Promise<void> {
    const closed = link;
    const again = deps.now() - returnedAt < againMs;
    if (again) connection.stopped(false);
    else connection.moved("waiting");
    const token = await deps.refresh().catch(() => undefined);
    // Closed with the session, or somebody has had it tried again meanwhile.
    if (closed !== link || !stopped || over) return;
    if (!token || again) return connection.stopped(token === null);
    returnedAt = deps.now();
    stopped = false;
    link.close();
    link = open();
    deps.returned?.();
  }

  function open(): Carrier<ClientEvent> {
    return openLink<ServerEvent, ClientEvent>({
      socket: (options) => deps.open({ url: deps.ticketUrl, protocol: "earshot.v1+json", immediate: true, ...options }),
      detour: (options) => createDetour(deps.log, options),
      onEvent: (event) => dispatch(event, { follower, crowd, jobs, asking, deleted, heard: (told) => deps.heard?.(told), reauthenticate: renewal.renew }),
      onReady() {
        renewal.start();
        follower.connected();
        viewing.connected();
      },
      onState: moved,
    });
  }
  let link = open();

  function hasten(): void {
    if (!stopped) link.hasten();
  }
  const sleep = deps.wake(hasten);
  const unsee = deps.visibility(viewing.visible);

  return {
    connection: connection.state,
    retryAt: connection.retryAt,
    tryNow() {
      if (!stopped) return link.hasten();
      link.close();
      link = open();
    },
    visitors: crowd.visitors,
    drafts: crowd.drafts,
    pages: crowd.pages,
    members: crowd.members,
    changes,
    viewing,
    jobs: jobs.news,
    ask: asking.ask,
    watch(projectId, listener) {
      crowd.forget();
      const counted = counting(listener, () => changes.value++);
      follower.watch(projectId, counted);
      return () => follower.unwatch(counted) && crowd.forget();
    },
    close() {
      over = true;
      crowd.close();
      connection.close();
      renewal.stop();
      viewing.close();
      asking.lost();
      sleep();
      unsee();
      link.close();
    },
  };
}

/** A listener that tells of each change beside. */
function counting(listener: Listener, count: () => void): Listener {
  const and = <T>(hear: (data: T) => void) => (data: T): void => {
    hear(data);
    count();
  };
  return {
    received: and((data) => listener.received(data)),
    updated: and((data) => listener.updated(data)),
    erased: and((data) => listener.erased(data)),
    conversed: and((event) => listener.conversed(event)),
    fresh: and((all) => listener.fresh(all)),
  };
}

interface Receivers {
  follower: Follower;
  crowd: Crowd;
  jobs: JobFeed;
  asking: Asking;
  deleted(projectId: string): void;
  heard(event: ServerEvent): void;
  reauthenticate(): Promise<void>;
}

/** Every event of the contract has its case: a new one does not compile until somebody decides about it. */
function dispatch(event: ServerEvent, to: Receivers): void {
  const { follower, crowd } = to;
  switch (event.type) {
    case "Subscribed":
      return follower.subscribed(event.data);
    case "FeedbackReceived":
      return follower.inOrder(event.data.project_id, event, (listener) => {
        crowd.sent(event.data.visitor?.session_id ?? "");
        listener.received(event.data);
        to.heard(event);
      });
    case "FeedbackUpdated":
      return follower.inOrder(event.data.project_id, event, (listener) => {
        listener.updated(event.data);
        to.heard(event);
      });
    case "FeedbackErased":
      return follower.inOrder(event.data.project_id, event, (listener) => listener.erased(event.data));
    case "FeedbackImported":
      // Too many to be told of each: what is listed is read anew.
      return follower.inOrder(event.data.project_id, event, (listener) => listener.fresh(true));
    case "MessagePosted":
    case "NoteAdded":
    case "NoteEdited":
    case "NoteDeleted":
      return follower.inOrder(event.data.project_id, event, (listener) => {
        listener.conversed(event);
        to.heard(event);
      });
    case "MessageAccepted":
      return to.asking.accepted(event.re);
    case "MessageRejected":
      return void to.asking.rejected(event.re, event.data);
    case "DraftChanged":
      if (follower.project() === event.data.project_id) crowd.drafted(event.data);
      return;
    case "PresenceState":
      if (follower.project() === event.data.project_id) crowd.present(event.data);
      return;
    case "PresenceDiff":
      if (follower.project() === event.data.project_id) crowd.changed(event.data);
      return;
    case "JobStarted":
    case "LogLine":
    case "Progress":
    case "JobFinished":
      return to.jobs.heard(event);
    case "ResyncRequired":
      if (follower.resync(event.data)) to.deleted(event.data.project_id);
      return;
    case "AuthExpiring":
      void to.reauthenticate();
      return;
    case "Connected":
    case "GoingAway":
    case "Pong":
      // The link acts on these itself.
      return;
    case "Error":
      if (to.asking.rejected(event.re, event.data)) return;
      // Deleted while nobody was connected: there was no subscription left to tell it to.
      if (event.data.code === "not_found" && event.re && follower.refused(event.re)) to.deleted(event.re);
      else console.warn(`socket: ${event.data.code}: ${event.data.message}`);
      return;
    default:
      assertNever(event);
  }
}
