// @vitest-environment node
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { openFeed, type Batch, type FeedOptions } from "./feed";
import type { Position } from "./position";
import { createHost } from "./testing";

interface Event {
  type: string;
  epoch?: string;
  seq?: number;
  data?: { retry_after_ms?: number };
}

const at = (seq: number): Position => ({ epoch: "e", seq });
const numbered = (seq: number): Event => ({ type: "E", epoch: "e", seq });

/** An answer whose body is written by hand. */
function answer(type = "text/event-stream") {
  let body!: ReadableStreamDefaultController<Uint8Array>;
  const stream = new ReadableStream<Uint8Array>({ start: (controller) => void (body = controller) });
  const writes = (bytes: Uint8Array): void => body.enqueue(bytes);
  const says = (text: string): void => writes(new TextEncoder().encode(text));
  return {
    response: new Response(stream, { headers: { "Content-Type": type } }),
    writes,
    says,
    sends: (event: Event): void => says(`data: ${JSON.stringify(event)}\n\n`),
    ends: () => body.close(),
    breaks: () => body.error(new TypeError("network")),
  };
}

function open(from: Position | null, given: Partial<FeedOptions<Event>> = {}) {
  const clock = createHost();
  const streams: ({ lastEventId: string } & ReturnType<typeof answer>)[] = [];
  const polls: { at: Position | null; wait: number; reply(batch: Partial<Batch<Event>>): void; fail(error: unknown): void; abort: AbortSignal }[] = [];
  const log: string[] = [];
  const feed = openFeed<Event>(
    {
      from,
      async stream(lastEventId, abort) {
        const made = { lastEventId, ...answer() };
        streams.push(made);
        abort.addEventListener("abort", () => {
          try {
            made.breaks();
          } catch {
            // It has ended before.
          }
        });
        return made.response;
      },
      poll: (at, wait, abort) =>
        new Promise((resolve, fail) => {
          abort.addEventListener("abort", () => fail(new DOMException("", "AbortError")));
          polls.push({ at, wait, abort, fail, reply: (batch) => resolve({ epoch: "e", head: 0, events: [], ...batch }) });
        }),
      onStart: ({ epoch, seq }) => log.push(`start ${epoch}:${seq}`),
      onEvent: ({ type, seq }) => log.push(`${type} ${seq ?? ""}`.trim()),
      onState: (state, wait) => log.push(wait === undefined ? state : `${state} ${wait}`),
      refused: () => false,
      ...given,
    },
    clock.host,
  );
  return { ...clock, feed, streams, polls, log, stream: () => streams.at(-1)!, poll: () => polls.at(-1)! };
}

const never = (_: string, abort: AbortSignal): Promise<Response> =>
  new Promise((_, fail) => abort.addEventListener("abort", () => fail(new DOMException("", "AbortError"))));

beforeEach(() => {
  vi.spyOn(Math, "random").mockReturnValue(0.5);
});
afterEach(() => {
  vi.restoreAllMocks();
});

describe("a stream", () => {
  it("goes on after the position, whatever pieces it comes in", async () => {
    const { advance, stream, log } = open(at(4));
    await advance();
    expect(stream().lastEventId).toBe("e:4");
    const text = `: hello\n\nid: e:5\ndata:{"type":"E",\ndata: "epoch":"e","seq":5}\r\n\r\nretry: 10\n\ndata: {\n\ndata: null\n\ndata: {"type":"Ä"}\n\ndata: {"type":"cut off"}\n`;
    for (const byte of new TextEncoder().encode(text)) stream().writes(Uint8Array.of(byte));
    stream().ends();
    await advance();
    expect(log).toEqual(["start e:4", "streaming", "E 5", "Ä"]);
  });

  it("begins at the head where there is no position", async () => {
    const { advance, polls, poll, stream, log } = open(null);
    await advance();
    expect(polls.map((poll) => poll.at)).toEqual([null]);
    poll().reply({ head: 7, events: [{ type: "ResyncRequired" }] });
    await advance();
    expect(stream().lastEventId).toBe("e:7");
    stream().says(":\n");
    await advance();
    expect(log).toEqual(["start e:7", "streaming"]);
  });

  it("goes on after the last number when it has ended, and is said to start only once", async () => {
    const { advance, stream, streams, log } = open(at(4));
    await advance();
    stream().sends(numbered(5));
    await advance(20_000);
    stream().says(":\n");
    await advance(15_000);
    stream().breaks();
    await advance(500);
    expect(streams.map(({ lastEventId }) => lastEventId)).toEqual(["e:4", "e:5"]);
    stream().says(":\n");
    await advance();
    expect(log).toEqual(["start e:4", "streaming", "E 5", "streaming"]);
  });

  it("is left when the server's sign of life is missing", async () => {
    const { advance, stream, streams } = open(at(4));
    await advance();
    for (let i = 0; i < 4; i++) {
      stream().says(":\n");
      await advance(15_000);
    }
    expect(streams).toHaveLength(1);
    await advance(10_000 + 500);
    expect(streams).toHaveLength(2);
  });

  it("waits as long as GoingAway asks, whatever the good news", async () => {
    const { feed, advance, stream, streams } = open(at(4));
    await advance();
    stream().sends({ type: "GoingAway", data: { retry_after_ms: 9_000 } });
    stream().ends();
    await advance();
    feed.hasten();
    await advance(8_999);
    expect(streams).toHaveLength(1);
    feed.hasten();
    await advance(1_000);
    expect(streams).toHaveLength(2);
  });

  it("survives a listener that throws, which is reported", async () => {
    const { advance, stream, log } = open(at(4), {
      onEvent: ({ seq }) => {
        log.push(`E ${seq}`);
        if (seq === 5) throw new Error("listener");
      },
    });
    await advance();
    stream().sends(numbered(5));
    stream().sends(numbered(6));
    await expect(advance()).rejects.toThrow("listener");
    expect(log).toEqual(["start e:4", "streaming", "E 5", "E 6"]);
  });
});

describe("polls take over", () => {
  it.each([
    ["the head of the answer is held back", never, 17_000],
    ["the body is held back", undefined, 17_000],
    ["the answer is no stream", async () => new Response("{}", { headers: { "Content-Type": "application/json" } }), 0],
  ])("where %s", async (_, stream, after) => {
    const { advance, polls, poll, log } = open(at(4), stream ? { stream } : {});
    await advance(after - 1);
    expect(polls).toHaveLength(after ? 0 : 1);
    await advance(1);
    expect(poll().at).toEqual(at(4));
    poll().reply({ events: [numbered(5), numbered(6)] });
    await advance();
    expect(poll().at).toEqual(at(6));
    expect(log).toEqual(["start e:4", "polling", "E 5", "E 6"]);
  });

  it("after two streams that ended early", async () => {
    const { advance, stream, streams, polls } = open(at(4));
    await advance();
    stream().sends(numbered(5));
    stream().ends();
    await advance(500);
    expect(streams).toHaveLength(2);
    stream().sends(numbered(6));
    stream().ends();
    await advance();
    expect(polls.map((poll) => poll.at)).toEqual([at(6)]);
  });

  it("not because the server is away for a moment", async () => {
    let calls = 0;
    const { advance, polls, log } = open(at(4), {
      stream: async () => {
        calls++;
        throw new TypeError("network");
      },
    });
    await advance(100_000);
    expect(calls).toBeGreaterThan(5);
    expect(polls).toEqual([]);
    expect(log.slice(0, 3)).toEqual(["waiting 250", "waiting 500", "waiting 1000"]);
  });
});

describe("polling", () => {
  /** A feed that polls already. */
  async function polling() {
    const all = open(at(4), { stream: async () => new Response("{}") });
    await all.advance();
    all.poll().reply({});
    await all.advance();
    return all;
  }

  it("says that it works before it waits, and asks again at once after a wait without events", async () => {
    const { advance, polls, poll, log } = await polling();
    expect(log).toEqual(["start e:4", "polling"]);
    await advance(25_000);
    poll().reply({});
    await advance();
    expect(polls.map(({ wait }) => wait)).toEqual([0, 25, 25]);
  });

  it("does not spin where answers come empty and at once", async () => {
    const { advance, polls, poll } = await polling();
    for (let i = 0; i < 100; i++) {
      poll().reply({});
      await advance(100);
    }
    expect(polls.length).toBeLessThan(8);
  });

  it("backs off while it fails, and good news cuts that short", async () => {
    const { feed, advance, polls, poll, log } = await polling();
    poll().fail(new TypeError("network"));
    await advance(250);
    poll().fail(new TypeError("network"));
    await advance();
    expect(log.slice(2)).toEqual(["waiting 250", "waiting 500"]);
    feed.hasten();
    await advance();
    expect(polls.map(({ wait }) => wait)).toEqual([0, 25, 0, 0]);
  });

  it("gives up an answer that never comes", async () => {
    const { advance, polls, poll } = await polling();
    await advance(34_999);
    expect(poll().abort.aborted).toBe(false);
    await advance(1);
    await advance(250);
    expect(polls.map((poll) => poll.at)).toEqual([at(4), at(4), at(4)]);
  });
});

describe("the end", () => {
  it("comes with a refusal that is for good", async () => {
    const { advance, polls, poll, pending } = open(null, { refused: (error) => error === "gone" });
    await advance();
    poll().fail("busy");
    await advance(250);
    poll().fail("gone");
    await advance(60_000);
    expect(polls).toHaveLength(2);
    expect(pending()).toBe(0);
  });

  it("is silent, also in the middle of a batch", async () => {
    const { feed, advance, poll, log, pending } = open(at(4), {
      stream: async () => new Response("{}"),
      onEvent: ({ seq }) => {
        log.push(`E ${seq}`);
        feed.close();
      },
    });
    await advance();
    poll().reply({ events: [numbered(5), numbered(6)] });
    await advance(60_000);
    expect(log).toEqual(["start e:4", "polling", "E 5"]);
    expect(pending()).toBe(0);
  });

  it("leaves a stream", async () => {
    const { feed, advance, stream, streams, log, pending } = open(at(4));
    await advance();
    stream().says(":\n");
    await advance();
    feed.close();
    await advance(60_000);
    expect(streams).toHaveLength(1);
    expect(log).toEqual(["start e:4", "streaming"]);
    expect(pending()).toBe(0);
  });
});
