import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { fullJitter } from "./jitter";
import { openSocket, type SocketOptions, type SocketState } from "./socket";

type ServerEvent = { type: "Connected"; data: { heartbeat_ms: number } } | { type: "Pong" } | { type: "GoingAway" };
type ClientEvent = { type: "Hello" } | { type: "Ping" };

/** The browser's end of a connection, driven by hand. */
class FakeWebSocket {
  static all: FakeWebSocket[] = [];
  static get last(): FakeWebSocket {
    const last = FakeWebSocket.all.at(-1);
    if (!last) throw new Error("no connection was made");
    return last;
  }
  readyState = 0;
  sent: string[] = [];
  closed: (number | undefined)[] = [];
  onopen?: () => void;
  onmessage?: (frame: { data: unknown }) => void;
  onclose?: (close: { code: number }) => void;
  constructor(
    readonly url: string,
    readonly protocol: string,
  ) {
    FakeWebSocket.all.push(this);
  }
  send(frame: string) {
    if (this.readyState !== 1) throw new Error("InvalidStateError");
    this.sent.push(frame);
  }
  close(code?: number) {
    this.closed.push(code);
    this.readyState = 2;
  }
  opens() {
    this.readyState = 1;
    this.onopen?.();
  }
  says(event: unknown) {
    this.onmessage?.({ data: typeof event === "string" ? event : JSON.stringify(event) });
  }
  ends(code: number) {
    this.readyState = 3;
    this.onclose?.({ code });
  }
}

function open(options: Partial<SocketOptions<ServerEvent>> = {}) {
  const events: ServerEvent[] = [];
  const states: [SocketState, number?][] = [];
  const socket = openSocket<ServerEvent, ClientEvent>({
    url: () => "wss://example.test/socket",
    protocol: "earshot.v1+json",
    onEvent: (event) => events.push(event),
    onState: (...change) => states.push(change),
    immediate: true,
    ...options,
  });
  return { socket, events, states };
}

const settle = (ms = 0) => vi.advanceTimersByTimeAsync(ms);

beforeEach(() => {
  vi.useFakeTimers();
  FakeWebSocket.all = [];
  vi.stubGlobal("WebSocket", FakeWebSocket);
  vi.spyOn(Math, "random").mockReturnValue(0.999);
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

describe("connecting", () => {
  it("waits with jitter before the first attempt unless told otherwise", async () => {
    open({ immediate: false });
    await settle(490);
    expect(FakeWebSocket.all).toHaveLength(0);
    await settle(10);
    expect(FakeWebSocket.last.protocol).toBe("earshot.v1+json");
  });

  it("asks for the url before every connection and survives a provider that fails", async () => {
    let call = 0;
    open({
      url: async () => {
        if (++call === 1) throw new Error("no ticket");
        return `wss://example.test/?ticket=${call}`;
      },
    });
    await settle(0);
    expect(FakeWebSocket.all).toHaveLength(0);
    await settle(500);
    expect(FakeWebSocket.last.url).toContain("ticket=2");
    FakeWebSocket.last.ends(1006);
    await settle(30_000);
    expect(FakeWebSocket.last.url).toContain("ticket=3");
  });

  it("makes no connection when closed while the url was being fetched", async () => {
    let resolve = (_: string) => {};
    const { socket } = open({ url: () => new Promise<string>((r) => (resolve = r)) });
    await settle(0);
    socket.close();
    resolve("wss://late.test");
    await settle(60_000);
    expect(FakeWebSocket.all).toHaveLength(0);
  });

  it("gives up a handshake that nobody answers", async () => {
    open();
    await settle(0);
    const first = FakeWebSocket.last;
    await settle(25_000 + 5_000 + 5_000);
    expect(first.closed).toEqual([4001]);
    await settle(1_000);
    expect(FakeWebSocket.all).toHaveLength(2);
  });
});

describe("reconnecting", () => {
  it("doubles the ceiling from 0.5 s to 30 s", async () => {
    open();
    await settle(0);
    for (const ceiling of [500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]) {
      const made = FakeWebSocket.all.length;
      FakeWebSocket.last.ends(1006);
      await settle(ceiling * 0.9);
      expect(FakeWebSocket.all.length, `before ${ceiling} ms`).toBe(made);
      await settle(ceiling * 0.1);
      expect(FakeWebSocket.all.length, `after ${ceiling} ms`).toBe(made + 1);
    }
  });

  it("starts anew after 30 stable seconds, not before", async () => {
    for (const [stable, ceiling] of [
      [29_000, 2_000],
      [31_000, 500],
    ] as const) {
      FakeWebSocket.all = [];
      const { socket } = open();
      await settle(0);
      FakeWebSocket.last.ends(1006);
      await settle(500);
      FakeWebSocket.last.ends(1006);
      await settle(1_000);
      const third = FakeWebSocket.last;
      third.opens();
      await settle(stable);
      third.ends(1006);
      await settle(ceiling * 0.9);
      expect(FakeWebSocket.all, `${stable} ms`).toHaveLength(3);
      await settle(ceiling * 0.1);
      expect(FakeWebSocket.all, `${stable} ms`).toHaveLength(4);
      socket.close();
    }
  });

  it.each([
    [1000, "waiting"],
    [1001, "waiting"],
    [1006, "waiting"],
    [1013, "waiting"],
    [4000, "waiting"],
    [4004, "waiting"],
    [4499, "waiting"],
    [4500, "stopped"],
    [4503, "stopped"],
    [4999, "stopped"],
  ])("close code %i leaves it %s", async (code, expected) => {
    const { socket, states } = open();
    await settle(0);
    FakeWebSocket.last.opens();
    FakeWebSocket.last.ends(code);
    expect(socket.state).toBe(expected);
    expect(states.at(-1)).toEqual([expected, code]);
    await settle(60_000);
    expect(FakeWebSocket.all.length > 1).toBe(expected === "waiting");
  });

  it("waits at least as long as GoingAway asks, once", async () => {
    const { events } = open();
    await settle(0);
    FakeWebSocket.last.opens();
    FakeWebSocket.last.says({ type: "GoingAway", data: { retry_after_ms: 7_000 } });
    FakeWebSocket.last.ends(1001);
    expect(events.map((e) => e.type)).toEqual(["GoingAway"]);
    await settle(7_000);
    expect(FakeWebSocket.all).toHaveLength(1);
    await settle(500);
    expect(FakeWebSocket.all).toHaveLength(2);
    FakeWebSocket.last.ends(1006);
    await settle(1_000);
    expect(FakeWebSocket.all).toHaveLength(3);
  });
});

describe("half-open connections", () => {
  it("pings after silence of heartbeat_ms and a margin, and leaves when nothing answers", async () => {
    const { states } = open();
    await settle(0);
    const first = FakeWebSocket.last;
    first.opens();
    first.says({ type: "Connected", data: { heartbeat_ms: 10_000 } });
    await settle(14_900);
    expect(first.sent).toEqual([]);
    await settle(100);
    expect(first.sent.map((f) => JSON.parse(f).type)).toEqual(["Ping"]);
    await settle(5_000);
    expect(first.closed).toEqual([4001]);
    expect(states.at(-1)).toEqual(["waiting", 4001]);
    // The dead one's own close arrives much later and must not start a second connection.
    first.ends(1006);
    await settle(600);
    expect(FakeWebSocket.all).toHaveLength(2);
  });

  it("stays when any event answers", async () => {
    open();
    await settle(0);
    FakeWebSocket.last.opens();
    FakeWebSocket.last.says({ type: "Connected", data: { heartbeat_ms: 10_000 } });
    for (let i = 1; i <= 5; i++) {
      await settle(15_000);
      expect(FakeWebSocket.last.sent).toHaveLength(i);
      FakeWebSocket.last.says({ type: "Pong" });
    }
    expect(FakeWebSocket.all).toHaveLength(1);
  });
});

describe("events", () => {
  it("passes on typed events and drops what is not one", async () => {
    const { events } = open();
    await settle(0);
    FakeWebSocket.last.opens();
    for (const frame of ["{", "null", "1", '"text"', "[]", "{}", '{"type":1}', '{"type":"Pong"}']) {
      FakeWebSocket.last.says(frame);
    }
    expect(events).toEqual([{ type: "Pong" }]);
  });

  it("sends only while open, and says so", async () => {
    const { socket } = open();
    await settle(0);
    expect(socket.send({ type: "Hello" })).toBe(false);
    FakeWebSocket.last.opens();
    expect(socket.send({ type: "Hello" })).toBe(true);
    FakeWebSocket.last.readyState = 2;
    expect(socket.send({ type: "Hello" })).toBe(false);
    expect(FakeWebSocket.last.sent).toEqual(['{"type":"Hello"}']);
  });

  it("is silent after close", async () => {
    const { socket, events, states } = open();
    await settle(0);
    const first = FakeWebSocket.last;
    first.opens();
    const before = states.length;
    socket.close();
    first.says({ type: "Pong" });
    first.ends(1000);
    await settle(120_000);
    expect(first.closed).toEqual([1000]);
    expect(events).toEqual([]);
    expect(states).toHaveLength(before);
    expect(FakeWebSocket.all).toHaveLength(1);
  });
});

describe("fullJitter", () => {
  it("spreads over the whole interval below the ceiling", () => {
    vi.spyOn(Math, "random").mockReturnValueOnce(0).mockReturnValueOnce(0.5);
    expect(fullJitter(3, 1_000, 300_000)).toBe(0);
    expect(fullJitter(3, 1_000, 300_000)).toBe(4_000);
    expect(fullJitter(60, 1_000, 300_000)).toBeLessThan(300_000);
  });
});
