import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createDelivery } from "./delivery";
import { createEmitter } from "./emitter";
import { createOutbox, type Feedback } from "./outbox";
import { createSession } from "./session";
import { acknowledged, config, FakeWebSocket, fakeFetch, reply, type Posted } from "./testing";

const body: Feedback = { page_url: "https://shop.test/", message: "Hello" };
const settle = (ms = 0) => vi.advanceTimersByTimeAsync(ms);

function start() {
  const emitter = createEmitter();
  const outbox = createOutbox("earshot:pk_test", () => localStorage);
  const session = createSession(config(), outbox.token, () => {});
  const delivery = createDelivery(config(), outbox, session, emitter);
  started.push(() => (delivery.destroy(), session.close(true)));
  return { emitter, outbox, session, delivery };
}
let started: (() => void)[] = [];

async function connected() {
  const all = start();
  all.session.open();
  await settle();
  const socket = FakeWebSocket.all.at(-1)!;
  socket.opens();
  return { ...all, socket };
}

beforeEach(() => {
  vi.useFakeTimers();
  localStorage.clear();
  FakeWebSocket.all = [];
  vi.stubGlobal("WebSocket", FakeWebSocket);
});
afterEach(() => {
  for (const stop of started.splice(0)) stop();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

describe("the way out", () => {
  it("is the open socket, after Hello with the session's token", async () => {
    const posts = fakeFetch();
    const { delivery, outbox, socket } = await connected();
    const outcome = delivery.submit(body);
    expect(socket.sent.map(({ type }) => type)).toEqual(["Hello", "FeedbackSubmitted"]);
    expect(socket.sent[0]!.data.resume_token).toBe(outbox.token());
    const { id } = socket.sent[1]!;
    expect(socket.sent[1]!.data).toEqual(body);
    expect(localStorage.getItem("earshot:pk_test")).toContain(id);
    socket.says({ type: "FeedbackReceived", re: id, data: { id } });
    expect(await outcome).toEqual({ state: "sent", id });
    await settle(60_000);
    expect(posts).toEqual([]);
    expect(outbox.wait()).toBe(Infinity);
  });

  it("is POST without a socket, as text/plain with id and token", async () => {
    const posts = fakeFetch();
    const { delivery, outbox } = start();
    const outcome = await delivery.submit(body);
    expect(outcome.state).toBe("sent");
    expect(posts).toEqual([
      { url: "https://earshot.test/w/pk_test/feedback", body: { ...body, id: outcome.id, resume_token: outbox.token() } },
    ]);
  });

  it("changes to POST after ten silent seconds, with the same id, and leaves that socket", async () => {
    const posts = fakeFetch();
    const { delivery, socket } = await connected();
    const outcome = delivery.submit(body);
    await settle(9_999);
    expect(posts).toEqual([]);
    await settle(1);
    expect(posts.map((post) => post.body.id)).toEqual([socket.sent[1]!.id]);
    expect((await outcome).state).toBe("sent");
    expect(socket.readyState).toBe(3);
    await settle(60_000);
    expect(posts).toHaveLength(1);
  });

  it("changes to POST at once when the socket is lost", async () => {
    const posts = fakeFetch();
    const { delivery, socket } = await connected();
    const outcome = delivery.submit(body);
    socket.ends(1006);
    expect((await outcome).state).toBe("sent");
    expect(posts).toHaveLength(1);
  });

  it("waits in the outbox when the socket answers rate_limited, as long as it says", async () => {
    const posts = fakeFetch();
    const { delivery, socket } = await connected();
    const outcome = delivery.submit(body);
    const { id } = socket.sent[1]!;
    socket.says({ type: "Error", re: id, data: { code: "rate_limited", message: "", retry_after_ms: 20_000 } });
    expect(await outcome).toEqual({ state: "kept", id, durable: true });
    expect(posts).toEqual([]);
    await settle(19_000);
    expect(socket.sent).toHaveLength(2);
    await settle(2_000);
    expect(socket.sent.filter((event) => event.id === id)).toHaveLength(2);
    socket.says({ type: "FeedbackReceived", re: id, data: { id } });
    await settle();
  });

  it("is refused by the socket's final word", async () => {
    const posts = fakeFetch();
    const { delivery, outbox, socket } = await connected();
    const outcome = delivery.submit(body);
    const { id } = socket.sent[1]!;
    const errors = [{ path: "email", message: "bad" }];
    socket.says({ type: "Error", re: id, data: { code: "invalid_field", message: "no", errors } });
    expect(await outcome).toEqual({ state: "refused", id, code: "invalid_field", message: "no", field: "email" });
    expect(posts).toEqual([]);
    expect(outbox.failed()).toBeUndefined();
  });

  it("tries POST when the node behind the socket is in trouble", async () => {
    const posts = fakeFetch();
    const { delivery, socket } = await connected();
    const outcome = delivery.submit(body);
    socket.says({ type: "Error", re: socket.sent[1]!.id, data: { code: "unavailable", message: "" } });
    expect((await outcome).state).toBe("sent");
    expect(posts).toHaveLength(1);
  });
});

describe("an answer to POST", () => {
  it.each([400, 401, 403, 404, 409, 413, 415, 422])("of %i is final", async (status) => {
    const posts = fakeFetch(() => reply(status, { code: "some_code", detail: "why" }));
    const { delivery, outbox, emitter } = start();
    const errors: unknown[] = [];
    const note = ({ detail }: CustomEvent) => void errors.push(detail.code);
    emitter.on("error", note);
    expect(await delivery.submit(body)).toMatchObject({ state: "refused", code: "some_code", message: "why" });
    emitter.off("error", note);
    expect(errors).toEqual(["some_code"]);
    await settle(600_000);
    expect(posts).toHaveLength(1);
    expect(outbox.wait()).toBe(Infinity);
  });

  it.each([408, 425, 429, 500, 502, 503, 507])("of %i is kept and sent later under the same id", async (status) => {
    let up = false;
    const posts = fakeFetch(({ body }) => (up ? acknowledged(body.id) : reply(status, {})));
    const { delivery, outbox } = start();
    const outcome = await delivery.submit(body);
    expect(outcome).toMatchObject({ state: "kept", durable: true });
    up = true;
    await settle(1_001);
    expect(posts.map((post) => post.body.id)).toEqual([outcome.id, outcome.id]);
    expect(outbox.wait()).toBe(Infinity);
  });

  it("that does not name the submission is no acknowledgement", async () => {
    fakeFetch(() => new Response("<html>Please log in to the wifi</html>", { status: 200 }));
    expect((await start().delivery.submit(body)).state).toBe("kept");
  });

  it("is waited for as Retry-After says", async () => {
    const posts = fakeFetch(() => reply(503, {}, { "Retry-After": "20" }));
    const { delivery } = start();
    await delivery.submit(body);
    await settle(19_000);
    await delivery.flush(true);
    expect(posts).toHaveLength(1);
    await settle(1_500);
    expect(posts).toHaveLength(2);
  });

  it("may come to another page: what waits survives a reload", async () => {
    let network = false;
    const answer = ({ body }: Posted) => {
      if (!network) throw new TypeError("Failed to fetch");
      return acknowledged(body.id);
    };
    const posts = fakeFetch(answer);
    const first = start();
    const outcome = await first.delivery.submit(body);
    expect(outcome.state).toBe("kept");
    first.delivery.destroy();
    network = true;
    const sent: string[] = [];
    const second = start();
    second.emitter.on("sent", ({ detail }) => void sent.push(detail.id));
    await second.delivery.flush(true);
    expect(sent).toEqual([outcome.id]);
    expect(posts).toHaveLength(2);
    expect(posts[1]!.body).toEqual(posts[0]!.body);
  });

  it("is for the visitor to see when a later attempt is refused", async () => {
    let status = 503;
    fakeFetch(() => reply(status, {}));
    const { delivery, outbox } = start();
    await delivery.submit(body);
    status = 422;
    await settle(1_001);
    expect(outbox.failed()?.body.message).toBe("Hello");
  });
});

describe("a full outbox", () => {
  it("still sends, and says so when it cannot keep", async () => {
    let up = true;
    fakeFetch(({ body }) => (up ? acknowledged(body.id) : reply(503, {})));
    const { delivery, outbox } = start();
    for (let i = 0; i < 20; i++) outbox.add(`${i}`, body);
    expect((await delivery.submit(body)).state).toBe("sent");
    up = false;
    expect(await delivery.submit(body)).toMatchObject({ state: "refused", code: "outbox_full" });
  });
});

describe("a socket", () => {
  it("that never opened is tried again, with full jitter from 0.5 s to 30 s, while the panel is open", async () => {
    vi.spyOn(Math, "random").mockReturnValue(1);
    fakeFetch();
    const { session } = start();
    session.open();
    await settle();
    let tries = 1;
    for (const ceiling of [500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]) {
      FakeWebSocket.all.at(-1)!.ends(1006);
      await settle(ceiling - 1);
      expect(FakeWebSocket.all).toHaveLength(tries);
      await settle(1);
      expect(FakeWebSocket.all).toHaveLength(++tries);
    }
    session.close();
    await settle(10_000);
    FakeWebSocket.all.at(-1)!.ends(1006);
    await settle(60_000);
    expect(FakeWebSocket.all).toHaveLength(tries);
    vi.restoreAllMocks();
  });

  it.each([
    ["wss://earshot.test/w/pk_test/socket", 1],
    ["wss://earshot.test", 1],
    ["wss://elsewhere.test", 2],
    ["https://earshot.test", 2],
    ["inline", 2],
    ["", 2],
  ])("is not tried again after the page's policy reported %s, if that is it", async (blockedURI, tries) => {
    fakeFetch();
    const { session } = start();
    session.open();
    await settle();
    window.dispatchEvent(Object.assign(new Event("securitypolicyviolation"), { blockedURI }));
    FakeWebSocket.all[0]!.ends(1006);
    await settle(600);
    expect(FakeWebSocket.all).toHaveLength(tries);
  });

  it("comes back no sooner than GoingAway asks, whatever the good news", async () => {
    const { session, socket } = await connected();
    socket.says({ type: "GoingAway", data: { retry_after_ms: 3_000 } });
    socket.ends(1001);
    session.open();
    await settle(2_999);
    expect(FakeWebSocket.all).toHaveLength(1);
    await settle(1);
    expect(FakeWebSocket.all).toHaveLength(2);
  });

  it("is tried again at once, or asked for a sign of life, when the page is back", async () => {
    vi.spyOn(Math, "random").mockReturnValue(1);
    const { session, socket } = await connected();
    session.open();
    await settle();
    expect(socket.sent.map(({ type }) => type)).toEqual(["Hello", "Ping"]);
    socket.ends(1006);
    session.open();
    await settle();
    expect(FakeWebSocket.all).toHaveLength(2);
    vi.restoreAllMocks();
  });

  it("ends within 15 s of the panel's closing", async () => {
    const { session, socket } = await connected();
    session.close();
    await settle(15_000);
    expect(socket.readyState).toBe(3);
  });
});
