import { type Carrier, openSocket } from "../../../realtime/client";
import type { VisitorClientEvent, VisitorServerEvent } from "../../../realtime/protocol/ts";
import type { Config } from "../config";
import { pageURL } from "../context";
import type { Ask } from "../delivery";
import { listen } from "../dom";

/** A socket that leaves a submission unanswered this long is left for POST. */
const SILENCE_MS = 10_000;
/** The socket outlives the panel by this, for a visitor who looks twice; then the page may enter the bfcache again. */
const LINGER_MS = 10_000;

export interface Session {
  /** The panel is open: a socket is wanted, and where there is one it is asked for a sign of life. */
  open(): void;
  /** The panel is closed: the socket ends soon, and at once when the page is left. */
  close(now?: boolean): void;
  /** Without `shared` only the server reads the text, for its hints. It is told as soon as there is a socket. */
  draft(text: string, shared: boolean): void;
  /** The draft is a message now: what was not told of it is not told any more. */
  sent(): void;
  ask: Ask;
}

/** `onEvent` hears all that the server says to the visitor who is here now, answers too. */
export function createSession(
  config: Config,
  token: () => string,
  onEvent: (event: VisitorServerEvent) => void,
  stop?: AbortSignal,
): Session {
  let socket: Carrier<VisitorClientEvent> | undefined;
  let wanted = false;
  let blocked = false;
  let spoken = "";
  /** The draft that no socket has taken yet, and whose it is. */
  let untold: { text: string; shared: boolean; owner: string } | undefined;
  let lingering: ReturnType<typeof setTimeout> | undefined;
  const pending = new Map<string, (answer?: VisitorServerEvent) => void>();
  const address = `${config.api.replace(/^http/, "ws")}/w/${config.key}/socket`;
  /** Another tab may have been told of another visitor since; this socket still speaks for the one before. */
  const current = (): boolean => spoken === token();

  function connect(): void {
    socket?.hasten();
    if (socket || blocked || !wanted) return;
    socket = openSocket<VisitorServerEvent, VisitorClientEvent>({
      url: () => address,
      protocol: "earshot.v1+json",
      immediate: true,
      onEvent(event) {
        pending.get(event.re!)?.(event);
        if (current()) onEvent(event);
      },
      onState(state) {
        if (state === "open") {
          spoken = token();
          socket?.send({ type: "Hello", data: { resume_token: spoken, page_url: pageURL() } });
          tell();
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

  function tell(): void {
    if (!untold || untold.owner !== token() || !current()) return;
    const { text, shared } = untold;
    if (socket?.send({ type: "DraftChanged", data: { text, shared, page_url: pageURL() } })) untold = undefined;
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
      untold = { text, shared, owner: token() };
      tell();
    },
    sent() {
      untold = undefined;
    },
    async ask(owner, event) {
      if (owner !== spoken || !socket?.send(event)) return undefined;
      const timer = setTimeout(() => {
        // Whatever is wrong with this connection, the next event need not wait for it again.
        disconnect();
        connect();
      }, SILENCE_MS);
      const answer = await new Promise<VisitorServerEvent | undefined>((done) => pending.set(event.id, done));
      clearTimeout(timer);
      pending.delete(event.id);
      return answer;
    },
  };
}
