// @vitest-environment node
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { openLink, type Detour, type DetourOptions, type LinkState } from "./link";
import { step, type Position } from "./position";
import { openSocket } from "./socket";
import { createHost } from "./testing";
import { onWake } from "./wake";

interface Event {
  type: string;
  epoch?: string;
  seq?: number;
}

function open(given: { url?: () => Promise<string> } = {}) {
  const clock = createHost();
  const states: [LinkState, number?, number?][] = [];
  const events: Event[] = [];
  const detours: (Detour<Event> & { options: DetourOptions<Event>; sent: Event[]; closed: boolean; quiet: boolean })[] = [];
  const ready = vi.fn();
  const link = openLink<Event, Event>({
    socket: (options) => openSocket({ url: given.url ?? (() => "wss://x.test"), protocol: "p", immediate: true, ...options }, clock.host),
    detour(options) {
      const detour = {
        options,
        sent: [] as Event[],
        closed: false,
        quiet: false,
        send: (event: Event) => detour.sent.push(event) > 0,
        idle: () => detour.quiet,
        hasten: vi.fn(),
        close: () => void (detour.closed = true),
      };
      detours.push(detour);
      return detour;
    },
    onEvent: (event) => events.push(event),
    onReady: ready,
    onState: (...change) => states.push(change),
  });
  return { ...clock, link, states, events, detours, detour: () => detours.at(-1)!, ready };
}

/** Lets time pass until the next handshake has begun. */
async function attempt({ advance, sockets }: ReturnType<typeof open>): Promise<void> {
  const before = sockets.length;
  while (sockets.length === before) await advance(50);
}

/** As behind a proxy that strips Upgrade. */
async function refused(all: ReturnType<typeof open>, times = 2): Promise<void> {
  for (let i = 0; i < times; i++) {
    await attempt(all);
    all.socket().ends(1006);
  }
}

beforeEach(() => {
  vi.spyOn(Math, "random").mockReturnValue(0.5);
});
afterEach(() => {
  vi.restoreAllMocks();
});

describe("the way", () => {
  it("is the socket once it has greeted, and not when it is merely open", async () => {
    const { advance, socket, states, ready, link } = open();
    await advance();
    socket().opens();
    expect(states.map(([state]) => state)).toEqual(["connecting"]);
    socket().says({ type: "Connected" });
    expect(states.at(-1)![0]).toBe("open");
    expect(ready).toHaveBeenCalledOnce();
    expect(link.send({ type: "Ping" })).toBe(true);
  });

  it("goes round after two handshakes in a row that were refused, not after one", async () => {
    const all = open();
    await refused(all, 1);
    expect(all.detours).toHaveLength(0);
    await attempt(all);
    all.socket().greets();
    all.socket().ends(1006);
    await refused(all, 1);
    expect(all.detours).toHaveLength(0);
    await refused(all, 1);
    expect(all.detours).toHaveLength(1);
    expect(all.ready).toHaveBeenCalledTimes(2);
  });

  it("does not go round while not even the address is to be had: the server is away", async () => {
    const { advance, detours, states } = open({ url: () => Promise.reject(new TypeError("network")) });
    await advance(120_000);
    expect(detours).toHaveLength(0);
    expect(new Set(states.map(([state, code]) => `${state} ${code}`))).toEqual(new Set(["connecting undefined", "waiting 0"]));
  });

  it("goes round sockets that open and never greet", async () => {
    const { advance, socket, detours } = open();
    for (let i = 0; i < 2; i++) {
      await advance(500);
      socket().opens();
      await advance(10_000);
    }
    expect(detours).toHaveLength(1);
  });

  it("round shows what the detour says, and the socket's attempts are hidden", async () => {
    const all = open();
    await refused(all);
    all.detour().options.onState("streaming");
    const before = all.states.length;
    await refused(all, 3);
    expect(all.states.slice(before - 1)).toEqual([["streaming", undefined, undefined]]);
    all.detour().options.onState("waiting", 700);
    expect(all.states.at(-1)).toEqual(["waiting", undefined, 700]);
  });

  it("round that nothing is asked of is judged by whether the address is to be had", async () => {
    let reach = true;
    const all = open({
      url: async () => {
        if (!reach) throw new TypeError("network");
        return "wss://x.test";
      },
    });
    await refused(all);
    all.detour().quiet = true;
    await refused(all, 1);
    expect(all.states.at(-1)![0]).toBe("polling");
    reach = false;
    await all.advance(30_000);
    expect(all.states.at(-1)![0]).toBe("waiting");
  });

  it("is the socket again as soon as that has greeted; the detour is left before", async () => {
    const all = open();
    await refused(all);
    expect(all.link.send({ type: "Subscribe" })).toBe(true);
    expect(all.detour().sent).toEqual([{ type: "Subscribe" }]);
    all.detour().options.onState("streaming");
    await attempt(all);
    all.socket().opens();
    all.socket().says({ type: "GoingAway" });
    expect(all.events).toEqual([]);
    all.link.send({ type: "Unsubscribe" });
    expect(all.detour().sent).toHaveLength(2);
    all.ready.mockImplementation(() => expect(all.detour().closed).toBe(true));
    all.socket().says({ type: "Connected" });
    expect(all.states.at(-1)![0]).toBe("open");
    expect(all.ready).toHaveBeenCalledTimes(2);
    all.link.send({ type: "Subscribe" });
    expect(all.socket().sent).toEqual([{ type: "Subscribe" }]);
  });

  it("ends where the server says so, round it as well", async () => {
    const all = open();
    await refused(all);
    await attempt(all);
    all.socket().opens();
    all.socket().ends(4503);
    expect(all.states.at(-1)).toEqual(["stopped", 4503]);
    expect(all.detour().closed).toBe(true);
  });

  it("is closed with everything on it", async () => {
    const all = open();
    await refused(all);
    all.link.close();
    expect(all.detour().closed).toBe(true);
    await all.advance(60_000);
    expect(all.sockets).toHaveLength(2);
    expect(all.pending()).toBe(0);
  });

  it("hastens on good news, on both", async () => {
    const all = open();
    await refused(all);
    all.link.hasten();
    await all.advance();
    expect(all.sockets).toHaveLength(3);
    expect(all.detour().hasten).toHaveBeenCalledOnce();
  });
});

describe("a log read over a change of ways", () => {
  it("has every event once, in order", async () => {
    const all = open();
    let position: Position | null = { epoch: "e", seq: 0 };
    const seen: number[] = [];
    const read = (): void => {
      for (const { epoch, seq } of all.events.splice(0)) {
        const next = epoch && seq ? step(position, epoch, seq) : null;
        if (next?.kind !== "apply") continue;
        position = next.position;
        seen.push(seq!);
      }
    };
    const numbered = (seq: number): Event => ({ type: "E", epoch: "e", seq });
    await all.advance();
    all.socket().greets();
    [1, 2].forEach((seq) => all.socket().says(numbered(seq)));
    const old = all.socket();
    old.ends(1006);
    old.says(numbered(3));
    await refused(all, 3);
    // Each way serves from the position asked for, and repeats where it likes.
    read();
    [2, 3, 4, 5].forEach((seq) => all.detour().options.onEvent(numbered(seq)));
    read();
    await attempt(all);
    all.socket().opens();
    all.detour().options.onEvent(numbered(6));
    all.socket().says({ type: "Connected" });
    [5, 6, 7].forEach((seq) => all.socket().says(numbered(seq)));
    read();
    expect(seen).toEqual([1, 2, 3, 4, 5, 6, 7]);
  });
});

describe("onWake", () => {
  it("calls for the network and for a page that is looked at, until it is over", () => {
    const document = Object.assign(new EventTarget(), { hidden: true });
    const page = Object.assign(new EventTarget(), { document });
    const work = vi.fn();
    const sleep = onWake(work, page as unknown as Window);
    document.dispatchEvent(new Event("visibilitychange"));
    expect(work).not.toHaveBeenCalled();
    document.hidden = false;
    document.dispatchEvent(new Event("visibilitychange"));
    page.dispatchEvent(new Event("online"));
    expect(work).toHaveBeenCalledTimes(2);
    sleep();
    page.dispatchEvent(new Event("online"));
    expect(work).toHaveBeenCalledTimes(2);
  });
});
