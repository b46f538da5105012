import { vi } from "vitest";
import type { Batch, Carrier, Position, SocketOptions } from "../../../realtime/client";
import { feedback } from "../testing";
import type { ClientEvent, ServerEvent } from "./events";
import { createLive } from "./live";

/** A live connection whose socket and polls are driven by hand; streams are always refused, as by an older server. */
export function setUp() {
  let options!: SocketOptions<ServerEvent>;
  const sent: ClientEvent[] = [];
  const socket = { send: vi.fn((event: ClientEvent) => sent.push(event) > 0), hasten: vi.fn(), close: vi.fn() } satisfies Carrier<ClientEvent>;
  const refresh = vi.fn(async (): Promise<string | null> => "fresh");
  const deleted = vi.fn();
  const returned = vi.fn();
  const polls: { at: Position | null; reply(batch: Batch<ServerEvent>): void; fail(error: unknown): void }[] = [];
  const opened = vi.fn();
  const access = vi.fn(() => ({ token: "present", expires: Date.now() + 900_000 }));
  let wake!: () => void;
  let show!: (visible: boolean) => void;
  const live = createLive({
    open: (given) => {
      options = given;
      opened();
      return socket;
    },
    ticketUrl: async () => "ws://x",
    log: {
      streamEvents: async () => new Response("{}", { headers: { "Content-Type": "application/json" } }),
      pollEvents: (_, at) => new Promise((reply, fail) => polls.push({ at, reply, fail })),
    },
    access,
    refresh,
    deleted,
    returned,
    online: () => true,
    wake: (work) => {
      wake = work;
      return () => undefined;
    },
    visibility: (work) => {
      show = work;
      return () => undefined;
    },
    now: Date.now,
  });
  const listener = { received: vi.fn(), updated: vi.fn(), erased: vi.fn(), conversed: vi.fn(), fresh: vi.fn() };
  const give = (event: object): void => options.onEvent(event as ServerEvent);
  const connected = (): void => {
    options.onState("open");
    give({ type: "Connected", data: { user_id: "u", session_id: "s", heartbeat_ms: 1, limits: {} } });
  };
  const subscribed = (head: number): void => give({ type: "Subscribed", data: { project_id: "p1", epoch: "e", head } });
  const event = (seq: number, epoch = "e"): ServerEvent => ({ type: "FeedbackReceived", epoch, seq, data: feedback(seq) }) as ServerEvent;
  const received = (seq: number, epoch?: string): void => give(event(seq, epoch));
  const seen = (): string[] => listener.received.mock.calls.map(([data]) => data.message);
  const subscribes = (): object[] => sent.filter((event) => event.type === "Subscribe").map((event) => event.data);
  const refused = (): void => [1, 2].forEach(() => options.onState("waiting", 1006, 100));
  return { live, listener, give, connected, subscribed, received, event, seen, subscribes, refused, sent, refresh, access, deleted, returned, socket, polls, opened, options: () => options, wake: () => wake(), show: (visible: boolean) => show(visible) };
}
