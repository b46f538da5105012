import { type Carrier, openSocket } from "../../realtime/client";
import { assertNever, type components, type VisitorClientEvent, type VisitorServerEvent } from "../../realtime/protocol/ts";
import type { Config } from "./config";
import { pageURL } from "./context";
import { listen } from "./dom";
import type { Parcel } from "./outbox";

/** A socket that leaves a submission unanswered this long is left for POST. */
const SILENCE_MS = 10_000;
/** The socket outlives the panel by this, for a visitor who looks twice; then the page may enter the bfcache again. */
const LINGER_MS = 10_000;

/** What became of one attempt. `later`: try again, no sooner than the given milliseconds. */
export type Answer =
  | { state: "sent" }
  | { state: "refused"; code: string; message: string; field?: string }
  | { state: "later"; after?: number };

/** Events that ask nothing of the widget. For the compiler alone: as cases of a switch they would be bytes for visitors. */
type Unheard = { type: "Connected" | "Resumed" | "ResumeFailed" | "StatusChanged" | "GoingAway" | "Pong" };

export type Reading = Extract<VisitorServerEvent, { type: "DraftAccepted" }>["data"];

export interface Session {
  /** The panel is open: a socket is wanted, and where there is one it is asked for a sign of life. */
  open(): void;
  /** The panel is closed: the socket ends soon, and at once when the page is left. */
  close(now?: boolean): void;
  /** Without `shared` only the server reads the text, for its hints. */
  draft(text: string, shared: boolean): void;
  /** Undefined: the socket could not carry it, or would not have it. The same entry may then go another way. */
  submit(parcel: Parcel): Promise<Answer | undefined>;
}

export function createSession(
  config: Config,
  token: () => string,
  onReading: (reading: Reading) => void,
  stop?: AbortSignal,
): Session {
  let socket: Carrier<VisitorClientEvent> | undefined;
  let wanted = false;
  let blocked = false;
  let spoken = "";
  let lingering: ReturnType<typeof setTimeout> | undefined;
  const pending = new Map<string, (answer?: Answer) => void>();
  const address = `${config.api.replace(/^http/, "ws")}/w/${config.key}/socket`;

  function receive(event: VisitorServerEvent): void {
    switch (event.type) {
      case "DraftAccepted":
        return onReading(event.data);
      case "FeedbackReceived":
        return pending.get(event.re!)?.({ state: "sent" });
      case "Error":
        return pending.get(event.re!)?.(reason(event.data));
      default:
        assertNever(event as Exclude<typeof event, Unheard>);
    }
  }

  function connect(): void {
    socket?.hasten();
    if (socket || blocked || !wanted) return;
    socket = openSocket<VisitorServerEvent, VisitorClientEvent>({
      url: () => address,
      protocol: "earshot.v1+json",
      immediate: true,
      onEvent: receive,
      onState(state) {
        if (state === "open") {
          spoken = token();
          socket?.send({ type: "Hello", data: { resume_token: spoken } });
        } else abandon();
      },
    });
  }

  /** The page's policy forbids this socket and reports each attempt, so there must not be a second one. */
  function onViolation(event: Event): void {
    const { blockedURI } = event as SecurityPolicyViolationEvent;
    blocked ||= address.startsWith(blockedURI || "none");
    if (blocked) disconnect();
  }

  function disconnect(): void {
    socket?.close();
    socket = undefined;
    abandon();
  }

  function abandon(): void {
    pending.forEach((done) => done());
  }

  listen("securitypolicyviolation", onViolation, stop);

  return {
    open() {
      clearTimeout(lingering);
      wanted = true;
      connect();
    },
    close(now) {
      clearTimeout(lingering);
      wanted = false;
      if (now) disconnect();
      else lingering = setTimeout(disconnect, LINGER_MS);
    },
    draft(text, shared) {
      // Another tab may have been told of another visitor since; this socket still speaks for the one before.
      if (spoken === token()) socket?.send({ type: "DraftChanged", data: { text, shared, page_url: pageURL() } });
    },
    async submit({ id, token: owner, body }) {
      if (owner !== spoken || !socket?.send({ type: "FeedbackSubmitted", id, data: body })) return undefined;
      const timer = setTimeout(() => {
        // Whatever is wrong with this connection, the next submission need not wait for it again.
        disconnect();
        connect();
      }, SILENCE_MS);
      const answer = await new Promise<Answer | undefined>((done) => pending.set(id, done));
      clearTimeout(timer);
      pending.delete(id);
      return answer;
    },
  };
}

/** Undefined where POST is to try: it may be the node that is in trouble and not the submission, and its refusal is final. */
function reason({ code, retry_after_ms }: components["schemas"]["Error"]): Answer | undefined {
  return code === "rate_limited" ? { state: "later", after: retry_after_ms } : undefined;
}
