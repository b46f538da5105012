import { describe, expect, it, vi } from "vitest";
import type { Attached } from "./form";
import type { Feedback } from "./outbox";
import { acknowledged, connected, fakeFetch, reply, settle, start, useWaysOut, type Posted } from "./testing";

const body: Feedback = { page_url: "https://shop.test/", message: "Hello" };
useWaysOut();

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

  it("is free for the next page at once, when this one is left before there is an answer", async () => {
    vi.stubGlobal("fetch", () => new Promise(() => {}));
    const { delivery } = start();
    void delivery.submit(body);
    await settle();
    const next = start();
    next.outbox.hurry();
    expect(next.outbox.claim()).toBeUndefined();
    delivery.leave();
    next.outbox.hurry();
    await settle(1);
    expect(next.outbox.claim()?.body).toEqual(body);
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

  it.each([
    ["a node that is in trouble", "unavailable", (id: string) => acknowledged(id), { state: "sent" }],
    [
      "a refusal, which is final then",
      "invalid_field",
      () => reply(422, { code: "invalid_field", detail: "no", errors: [{ path: "email", message: "bad" }] }),
      { state: "refused", code: "invalid_field", message: "no", field: "email" },
    ],
  ])("is POST after %s", async (_, code, answer, outcome) => {
    const posts = fakeFetch(({ body }) => answer(body.id));
    const { delivery, outbox, socket } = await connected();
    const submitted = delivery.submit(body);
    const { id } = socket.sent[1]!;
    socket.says({ type: "Error", re: id, data: { code, message: "" } });
    expect(await submitted).toEqual({ ...outcome, id });
    await settle(60_000);
    expect([posts.map((post) => post.body.id), outbox.failed()]).toEqual([[id], undefined]);
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

  it("that its id is taken says that it has arrived, in another shape", async () => {
    fakeFetch(() => reply(409, { code: "id_conflict" }));
    const { delivery, outbox } = start();
    expect((await delivery.submit(body)).state).toBe("sent");
    expect(outbox.wait()).toBe(Infinity);
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
    first.end();
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

describe("a message that waits for its file", () => {
  /** Sent while its file is under way, which another page cannot know to be so any more. */
  function waiting() {
    const posts = fakeFetch();
    const { delivery } = start();
    let done = (): void => {};
    let fail = (_: unknown): void => {};
    const file: Attached = { name: "a.png", settled: new Promise<void>((yes, no) => ((done = yes), (fail = no))) };
    const arrive = (id: string): void => {
      file.id = id;
      done();
    };
    const outcome = delivery.submit({ ...body }, [file]);
    vi.setSystemTime(Date.now() + 100_000);
    return { posts, outcome, arrive, fail, other: start().outbox };
  }

  it("is no draft again once another page sends it without", async () => {
    const { outcome, fail, other } = waiting();
    const { id } = other.part(other.claim()!);
    fail({ words: "It failed" });
    expect(await outcome).toEqual({ state: "kept", id, durable: true });
    expect(other.use(({ entries }) => entries.map((entry) => entry.id))).toEqual([id]);
  });

  it("is a draft again where its file fails, and nobody has it", async () => {
    const { outcome, fail, other } = waiting();
    fail({ words: "It failed" });
    await expect(outcome).rejects.toEqual({ words: "It failed" });
    expect(other.wait()).toBe(Infinity);
  });

  it("is sent also where the page has cleared its storage meanwhile", async () => {
    const { posts, outcome, arrive } = waiting();
    localStorage.clear();
    arrive("f1");
    expect((await outcome).state).toBe("sent");
    expect(posts.map(({ body }) => body)).toMatchObject([{ message: "Hello", attachment_ids: ["f1"] }]);
  });
});

describe("a flush", () => {
  it("leaves alone what is still under way here when the page has slept", async () => {
    const posts = fakeFetch();
    const { delivery, emitter, socket } = await connected();
    const sent: string[] = [];
    emitter.on("sent", ({ detail }) => void sent.push(detail.id));
    const outcome = delivery.submit(body);
    // No timer ran meanwhile, and the page is visible again before they do.
    vi.setSystemTime(Date.now() + 60_000);
    void delivery.flush(true);
    await settle(60_000);
    const { id } = socket.sent[1]!;
    expect(await outcome).toEqual({ state: "sent", id });
    expect([socket.sent.filter((event) => event.id === id).length, posts.length, sent]).toEqual([1, 1, [id]]);
  });

  it("keeps to what another one was told meanwhile", async () => {
    const { outbox, delivery } = start();
    outbox.add("a", body);
    outbox.add("b", body);
    vi.setSystemTime(Date.now() + 40_000);
    let answer = (_: Response): void => {};
    const tried: string[] = [];
    vi.stubGlobal("fetch", async (_: string, init: RequestInit) => {
      const { id } = JSON.parse(String(init.body));
      tried.push(id);
      return id === "a" ? new Promise((resolve) => (answer = resolve)) : reply(429, { retry_after_ms: 60_000 });
    });
    void delivery.flush(true);
    await settle();
    void delivery.flush(true);
    await settle();
    answer(acknowledged("a"));
    await settle(59_000);
    expect(tried).toEqual(["a", "b"]);
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
