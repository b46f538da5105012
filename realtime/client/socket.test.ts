// @vitest-environment node
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { fullJitter } from "./jitter";
import { openSocket, type SocketOptions, type SocketState } from "./socket";
import { createHost } from "./testing";

type ServerEvent = { type: "Connected"; data: { heartbeat_ms: number } } | { type: "GoingAway"; data: { retry_after_ms: number } } | { type: "Pong" };
type ClientEvent = { type: "Hello" };

function open(options: Partial<SocketOptions<ServerEvent>> = {}) {
  const clock = createHost();
  const events: ServerEvent[] = [];
  const states: [SocketState, number?, number?][] = [];
  const socket = openSocket<ServerEvent, ClientEvent>(
    {
      url: () => "wss://example.test/socket",
      protocol: "earshot.v1+json",
      onEvent: (event) => events.push(event),
      onState: (...change) => states.push(change),
      immediate: true,
      ...options,
    },
    clock.host,
  );
  return { ...clock, client: socket, events, states };
}

beforeEach(() => {
  vi.spyOn(Math, "random").mockReturnValue(0.999);
});
afterEach(() => {
  vi.restoreAllMocks();
});

describe("connecting", () => {
  it("waits with jitter before the first attempt unless told otherwise", async () => {
    const { advance, sockets } = open({ immediate: false });
    await advance(490);
    expect(sockets).toHaveLength(0);
    await advance(10);
    expect(sockets[0]!.protocol).toBe("earshot.v1+json");
  });

  it("asks for the url before every connection and survives a provider that fails", async () => {
    let call = 0;
    const { advance, sockets, socket, states } = open({
      url: async () => {
        if (++call === 1) throw new Error("no ticket");
        return `wss://example.test/?ticket=${call}`;
      },
    });
    await advance();
    expect(sockets).toHaveLength(0);
    expect(states.at(-1)).toEqual(["waiting", 0, 0.999 * 500]);
    await advance(500);
    expect(socket().url).toContain("ticket=2");
    socket().ends(1006);
    await advance(1_000);
    expect(socket().url).toContain("ticket=3");
  });

  it("makes no connection when closed while the url was being fetched", async () => {
    let resolve = (_: string): void => undefined;
    const { client, advance, sockets } = open({ url: () => new Promise<string>((r) => (resolve = r)) });
    await advance();
    client.close();
    resolve("wss://late.test");
    await advance(60_000);
    expect(sockets).toHaveLength(0);
  });

  it("gives up an address that does not come for ten seconds, and makes nothing of it later", async () => {
    const asked: ((address: string) => void)[] = [];
    const { advance, sockets, states } = open({ url: () => new Promise<string>((resolve) => asked.push(resolve)) });
    await advance(9_999);
    expect(states.at(-1)![0]).toBe("connecting");
    await advance(1);
    expect(states.at(-1)).toEqual(["waiting", 0, 0.999 * 500]);
    await advance(500);
    expect(asked).toHaveLength(2);
    asked[0]!("wss://late.test");
    await advance();
    expect(sockets).toHaveLength(0);
    asked[1]!("wss://second.test");
    await advance();
    expect(sockets.map(({ url }) => url)).toEqual(["wss://second.test"]);
  });

  it("is not undone by an address that is refused late", async () => {
    let refuse = (_: Error): void => undefined;
    const url = vi.fn(async () => "wss://second.test");
    url.mockImplementationOnce(() => new Promise((_, reject) => (refuse = reject)));
    const { advance, socket, states } = open({ url });
    await advance(10_500);
    socket().greets();
    refuse(new Error("too late"));
    await advance();
    expect(states.at(-1)![0]).toBe("open");
  });

  it("gives up a handshake that nobody answers for ten seconds", async () => {
    const { advance, sockets, states } = open();
    await advance(9_999);
    expect(sockets[0]!.closed).toEqual([]);
    await advance(1);
    expect(sockets[0]!.closed).toEqual([4001]);
    expect(states.at(-1)!.slice(0, 2)).toEqual(["waiting", 4001]);
    await advance(500);
    expect(sockets).toHaveLength(2);
  });
});

describe("reconnecting", () => {
  it("doubles the ceiling from 0.5 s to 30 s, and tells the wait", async () => {
    const { advance, sockets, socket, states } = open();
    await advance();
    for (const ceiling of [500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]) {
      const made = sockets.length;
      socket().ends(1006);
      expect(states.at(-1)).toEqual(["waiting", 1006, 0.999 * ceiling]);
      await advance(ceiling * 0.99);
      expect(sockets.length, `before ${ceiling} ms`).toBe(made);
      await advance(ceiling * 0.01);
      expect(sockets.length, `after ${ceiling} ms`).toBe(made + 1);
    }
  });

  it("begins at once where the dice say so", async () => {
    const { advance, sockets, socket } = open();
    await advance();
    vi.mocked(Math.random).mockReturnValue(0);
    socket().ends(1006);
    await advance();
    expect(sockets).toHaveLength(2);
  });

  it.each([
    [29_000, 2_000],
    [31_000, 500],
  ])("after %i stable ms has a ceiling of %i", async (stable, ceiling) => {
    const { advance, sockets, socket } = open();
    await advance();
    socket().ends(1006);
    await advance(500);
    socket().ends(1006);
    await advance(1_000);
    socket().greets();
    await advance(stable);
    socket().ends(1006);
    await advance(ceiling * 0.9);
    expect(sockets).toHaveLength(3);
    await advance(ceiling * 0.1);
    expect(sockets).toHaveLength(4);
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
  ] as const)("close code %i leaves it %s", async (code, expected) => {
    const { advance, sockets, socket, states, pending } = open();
    await advance();
    socket().opens();
    socket().ends(code);
    expect(states.at(-1)!.slice(0, 2)).toEqual([expected, code]);
    expect(pending()).toBe(expected === "waiting" ? 1 : 0);
    await advance(1_000);
    expect(sockets.length > 1).toBe(expected === "waiting");
  });

  it("waits at least as long as GoingAway asks, once, whatever the good news", async () => {
    const { client, advance, sockets, socket, events } = open();
    await advance();
    socket().opens();
    socket().says({ type: "GoingAway", data: { retry_after_ms: 7_000 } });
    socket().ends(1001);
    expect(events.map((e) => e.type)).toEqual(["GoingAway"]);
    client.hasten();
    await advance(6_999);
    expect(sockets).toHaveLength(1);
    await advance(1);
    expect(sockets).toHaveLength(2);
    socket().ends(1006);
    await advance(1_000);
    expect(sockets).toHaveLength(3);
  });
});

describe("good news", () => {
  it("ends the wait, and a stop stays one", async () => {
    const { client, advance, sockets, socket } = open();
    await advance();
    for (let i = 0; i < 7; i++) {
      socket().ends(1006);
      client.hasten();
      await advance();
      expect(sockets).toHaveLength(i + 2);
    }
    socket().ends(4503);
    client.hasten();
    await advance(60_000);
    expect(sockets).toHaveLength(8);
  });

  it("has an open connection asked for a sign of life", async () => {
    const { client, advance, sockets, socket } = open();
    await advance();
    socket().greets();
    client.hasten();
    await advance();
    expect(socket().sent).toEqual([{ type: "Ping", data: {} }]);
    socket().says({ type: "Pong" });
    await advance(10_000);
    client.hasten();
    await advance(5_000);
    expect(sockets[0]!.closed).toEqual([4001]);
  });
});

describe("half-open connections", () => {
  it("are pinged after silence of heartbeat_ms and a margin, and left when nothing answers", async () => {
    const { advance, sockets, socket, states } = open();
    await advance();
    socket().greets({ heartbeat_ms: 10_000 });
    await advance(14_999);
    expect(socket().sent).toEqual([]);
    await advance(1);
    expect(socket().sent.map(({ type }) => type)).toEqual(["Ping"]);
    await advance(5_000);
    expect(sockets[0]!.closed).toEqual([4001]);
    expect(states.at(-1)!.slice(0, 2)).toEqual(["waiting", 4001]);
    // The dead one's own close arrives much later and must not start a second connection.
    sockets[0]!.ends(1006);
    await advance(600);
    expect(sockets).toHaveLength(2);
  });

  it("are none where any event answers", async () => {
    const { advance, sockets, socket } = open();
    await advance();
    socket().greets({ heartbeat_ms: 10_000 });
    for (let i = 1; i <= 5; i++) {
      await advance(15_000);
      expect(socket().sent).toHaveLength(i);
      socket().says({ type: "Pong" });
    }
    expect(sockets).toHaveLength(1);
  });
});

describe("events", () => {
  it("passes on typed events and drops what is not one", async () => {
    const { advance, socket, events } = open();
    await advance();
    socket().opens();
    for (const frame of ["{", "null", "1", '"text"', "[]", "{}", '{"type":1}', '{"type":"Pong"}']) socket().says(frame);
    expect(events).toEqual([{ type: "Pong" }]);
  });

  it("sends only while open, and says so", async () => {
    const { client, advance, socket } = open();
    await advance();
    expect(client.send({ type: "Hello" })).toBe(false);
    socket().opens();
    expect(client.send({ type: "Hello" })).toBe(true);
    socket().readyState = 2;
    expect(client.send({ type: "Hello" })).toBe(false);
    expect(socket().sent).toEqual([{ type: "Hello" }]);
  });

  it("is silent after close", async () => {
    const { client, advance, sockets, socket, events, states } = open();
    await advance();
    socket().opens();
    const before = states.length;
    client.close();
    socket().says({ type: "Pong" });
    socket().ends(1000);
    client.hasten();
    await advance(120_000);
    expect(socket().closed).toEqual([1000]);
    expect(events).toEqual([]);
    expect(states).toHaveLength(before);
    expect(sockets).toHaveLength(1);
  });
});

describe("fullJitter", () => {
  it("spreads over the whole interval below the ceiling", () => {
    vi.mocked(Math.random).mockReturnValueOnce(0).mockReturnValueOnce(0.5);
    expect(fullJitter(3, 1_000, 300_000)).toBe(0);
    expect(fullJitter(3, 1_000, 300_000)).toBe(4_000);
    expect(fullJitter(60, 1_000, 300_000)).toBeLessThan(300_000);
  });
});
