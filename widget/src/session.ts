import { type Carrier, openSocket } from "../../realtime/client";
import { assertNever, type components, type VisitorClientEvent, type VisitorServerEvent } from "../../realtime/protocol/ts";
import type { Config } from "./config";
import { pageURL } from "./context";
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
  /** Undefined: the socket could not carry it, or nothing came back. The same entry may then go another way. */
  submit(parcel: Parcel): Promise<Answer | undefined>;
}

export function createSession(config: Config, token: () => string, onReading: (reading: Reading) => void): Session {
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
        return pending.get(event.re!)?.(refusal(event.data));
      default:
        assertNever(event as Exclude<typeof event, Unheard>);
    }
  }

  function connect(): void {
    socket?.hasten();
    if (socket || blocked || !wanted) return;
    addEventListener("securitypolicyviolation", onViolation);
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
  function onViolation({ blockedURI }: SecurityPolicyViolationEvent): void {
    blocked ||= !!blockedURI && address.startsWith(blockedURI);
    if (blocked) disconnect();
  }

  function disconnect(): void {
    socket?.close();
    socket = undefined;
    abandon();
  }

  function abandon(): void {
    for (const done of [...pending.values()]) done();
  }

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
      socket?.send({ type: "DraftChanged", data: { text, shared, page_url: pageURL() } });
    },
    submit({ id, token: owner, body }) {
      return new Promise((resolve) => {
        const done = (answer?: Answer) => {
          clearTimeout(timer);
          pending.delete(id);
          resolve(answer);
        };
        const timer = setTimeout(() => {
          // Whatever is wrong with this connection, the next submission need not wait for it again.
          disconnect();
          connect();
        }, SILENCE_MS);
        pending.set(id, done);
        if (owner !== spoken || !socket?.send({ type: "FeedbackSubmitted", id, data: body })) done();
      });
    },
  };
}

/** Undefined where another way out may do better: the node is in trouble, not the submission. */
function refusal({ code, message, errors, retry_after_ms }: components["schemas"]["Error"]): Answer | undefined {
  if (code === "rate_limited") return { state: "later", after: retry_after_ms };
  if (/internal|unavailable|storage_full/.test(code)) return undefined;
  return { state: "refused", code, message, field: errors?.[0]?.path };
}
