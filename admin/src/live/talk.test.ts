import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Problem, Unreachable } from "../session/problem";
import { message, told } from "../testing";
import { setUp as setUpLive } from "./testing";

beforeEach(() => {
  vi.useFakeTimers();
  vi.spyOn(console, "warn").mockReturnValue();
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

function setUp() {
  const setting = setUpLive();
  setting.live.watch("p1", setting.listener);
  setting.connected();
  setting.subscribed(0);
  return setting;
}

it("hands a conversation's events on once and in the log's order", () => {
  const { give, listener } = setUp();
  for (const seq of [1, 2, 2]) give({ ...told("MessagePosted", message(seq)), seq });
  give({ ...told("NoteDeleted", message(2)), seq: 3 });
  expect(listener.conversed.mock.calls.map(([{ type, seq }]) => `${type} ${seq}`)).toEqual(["MessagePosted 1", "MessagePosted 2", "NoteDeleted 3"]);
});

describe("a question", () => {
  const question = { type: "ReplySent", id: "m1", data: { feedback_id: "f1", body: "hello" } } as const;

  it("is answered by the event that names it", async () => {
    const { give, live } = setUp();
    const asked = live.ask(question);
    give({ type: "MessageAccepted", re: "m2", data: { id: "m2" } });
    give({ type: "MessageAccepted", re: "m1", data: { id: "m1" } });
    await expect(asked).resolves.toBeUndefined();
  });

  it.each([
    ["a rejection", "MessageRejected", "invalid_field", 422],
    ["an error", "Error", "internal", 503],
  ])("is refused by %s", async (_, type, code, status) => {
    const { give, live } = setUp();
    const asked = live.ask(question);
    give({ type, re: "m1", data: { code, message: "no" } });
    await expect(asked).rejects.toMatchObject({ code, status } satisfies Partial<Problem>);
  });

  it.each([
    ["silence", () => vi.advanceTimersByTime(8_000)],
    ["a lost connection", (options: ReturnType<typeof setUp>["options"]) => options().onState("waiting", 1006, 100)],
  ])("is open after %s", async (_, happen) => {
    const { live, options } = setUp();
    const asked = live.ask(question);
    happen(options);
    await expect(asked).rejects.toBeInstanceOf(Unreachable);
  });

  it("is not asked where there is no socket", () => {
    const { live, socket } = setUp();
    socket.send.mockReturnValue(false);
    expect(live.ask(question)).toBeNull();
  });

  it("is not asked by the way round what admits no sockets: messages have a call of their own there", () => {
    const { live, refused, socket } = setUpLive();
    refused();
    socket.send.mockClear();
    expect(live.ask(question)).toBeNull();
    expect(socket.send).not.toHaveBeenCalled();
  });
});

it("knows who is there until the connection is lost", () => {
  const { give, live, options } = setUp();
  const ann = { user_id: "ann", name: "Ann", typing: false };
  give({ type: "PresenceDiff", data: { project_id: "p1", joined: [ann], left: [], visitors: 1 } });
  expect(live.members.value).toEqual([]);
  give({ type: "PresenceState", data: { project_id: "p1", members: [ann], visitors: 1 } });
  give({ type: "PresenceDiff", data: { project_id: "p1", joined: [{ ...ann, feedback_id: "f1" }], left: [ann], visitors: 2 } });
  give({ type: "PresenceState", data: { project_id: "another", members: [], visitors: 9 } });
  expect([live.members.value, live.visitors.value]).toEqual([[{ ...ann, feedback_id: "f1" }], 2]);
  options().onState("waiting", 1006, 100);
  expect([live.members.value, live.visitors.value]).toEqual([[], null]);
});

it("says after a reconnect what is open, and nothing while the window is hidden", () => {
  const { connected, live, sent, show } = setUp();
  live.viewing.open("f1");
  vi.advanceTimersByTime(200);
  sent.length = 0;
  connected();
  show(false);
  expect(sent.filter(({ type }) => type === "Viewing").map(({ data }) => data)).toEqual([
    { feedback_id: "f1", typing: false },
    { feedback_id: null, typing: false },
  ]);
});
