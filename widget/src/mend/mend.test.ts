import { describe, expect, it, vi } from "vitest";
import type { Feedback } from "../outbox";
import { connected, fakeFetch, reply, settle, start, useWaysOut } from "../testing";
import { solve } from "./proof";
import { blocks, compress, INITIAL } from "./sha256";

const CHALLENGE = "c".repeat(71);
const body: Feedback = { page_url: "https://shop.test/", message: "Hello", proof: "" };

function hex(text: string): string {
  const words = blocks(text);
  let state = INITIAL;
  for (let at = 0; at < words.length; at += 16) state = compress(state, words, at);
  return [...state].map((word) => (word >>> 0).toString(16).padStart(8, "0")).join("");
}

const digest = async (text: string) =>
  [...new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)))].map((byte) => byte.toString(16).padStart(2, "0")).join("");

describe("the hash", () => {
  it("is SHA-256 at every length around its blocks", async () => {
    expect(hex("abc")).toBe("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    for (let length = 0; length < 200; length++) {
      const text = Array.from({ length }, (_, i) => String.fromCharCode(33 + ((i * 7 + length) % 90))).join("");
      expect(hex(text), `${length} characters`).toBe(await digest(text));
    }
  });
});

describe("a proof", () => {
  // 64 and 128 characters end a block with the colon; the others leave something of it for each try.
  it.each([1, 63, 64, 71, 119, 127, 150])("is found for a challenge of %i characters", async (length) => {
    const proof = await solve("c".repeat(length), 10);
    expect(proof.startsWith(`${"c".repeat(length)}:`)).toBe(true);
    expect(await digest(proof)).toMatch(/^00[0-3]/);
  });
});

describe("a refused submission", () => {
  useWaysOut();

  /** Answers as a server that asks for work. */
  function demanding(difficulty = 8) {
    return fakeFetch(({ url, body }) => {
      if (url.endsWith("/challenge")) return reply(200, { challenge: CHALLENGE, difficulty, expires_at: "2099-01-01T00:00:00Z" });
      const { proof } = body as unknown as { proof: string };
      return proof ? reply(201, { id: body.id }) : reply(403, { code: "challenge_required" });
    });
  }

  it("is sent again with the proof that was asked for, under the same id", async () => {
    const posts = demanding();
    const { delivery } = start();
    const outcome = delivery.submit(body);
    await settle(1_000);
    expect(await outcome).toMatchObject({ state: "sent" });
    expect(posts.map(({ url }) => url.replace(/.*\//, ""))).toEqual(["feedback", "challenge", "feedback"]);
    expect(posts[2]!.body.id).toBe(posts[0]!.body.id);
    expect(await digest((posts[2]!.body as unknown as { proof: string }).proof)).toMatch(/^00/);
  });

  it("goes by the socket that asked for work", async () => {
    const posts = demanding();
    const { delivery, socket } = await connected();
    const outcome = delivery.submit(body);
    const { id } = socket.sent.at(-1)!;
    socket.says({ type: "Error", re: id, data: { code: "challenge_required", message: "", detail: [] } });
    await settle(1_000);
    expect(posts.map(({ url }) => url.replace(/.*\//, ""))).toEqual(["challenge"]);
    const again = socket.sent.at(-1)!;
    expect([again.id, await digest(again.data.proof as string)]).toEqual([id, expect.stringMatching(/^00/)]);
    socket.says({ type: "FeedbackReceived", re: id, data: { id } });
    expect(await outcome).toMatchObject({ state: "sent" });
  });

  it("stays refused where no proof is enough, after a few", async () => {
    const posts = fakeFetch(({ url }) =>
      url.endsWith("/challenge") ? reply(200, { challenge: CHALLENGE, difficulty: 1 }) : reply(403, { code: "challenge_required" }));
    const { delivery } = start();
    const outcome = delivery.submit(body);
    await settle(1_000);
    expect(await outcome).toMatchObject({ state: "refused", code: "challenge_required" });
    expect(posts.filter(({ url }) => url.endsWith("/feedback"))).toHaveLength(4);
  });

  it("stays refused where there is no challenge to be had", async () => {
    fakeFetch(({ url }) => (url.endsWith("/challenge") ? reply(503, {}) : reply(403, { code: "challenge_required" })));
    const outcome = start().delivery.submit(body);
    await settle(1_000);
    expect(await outcome).toMatchObject({ state: "refused", code: "challenge_required" });
  });

  it.each([
    ["identity.hash", { identity: undefined, attachment_ids: ["a"], context: { plan: "pro" } }],
    ["attachment_ids.0", { identity: { id: "u", hash: "x", exp: 1 }, attachment_ids: undefined, context: { plan: "pro", lost_files: 1 } }],
  ])("goes without what was wrong with %s, and is kept like that", async (path, want) => {
    let refusals = 1;
    const posts = fakeFetch(({ body }) => (refusals-- > 0 ? reply(422, { code: "invalid_field", errors: [{ path, message: "" }] }) : reply(503, { id: body.id })));
    const { delivery } = start();
    const outcome = delivery.submit({ ...body, identity: { id: "u", hash: "x", exp: 1 }, attachment_ids: ["a"], context: { plan: "pro" } });
    await settle(1_000);
    expect((await outcome).state).toBe("kept");
    const { identity, attachment_ids, context } = posts[1]!.body as unknown as Feedback;
    expect({ identity, attachment_ids, context }).toEqual(want);
    const [kept] = JSON.parse(localStorage.getItem("earshot:pk_test")!).entries;
    expect(kept.body.context).toEqual(want.context);
  });

  it("is not changed where the visitor has to", async () => {
    const posts = fakeFetch(() => reply(422, { code: "invalid_field", errors: [{ path: "email", message: "" }] }));
    const outcome = start().delivery.submit({ ...body, identity: { id: "u", hash: "x", exp: 1 } });
    await settle(1_000);
    expect(await outcome).toMatchObject({ state: "refused", field: "email" });
    expect(posts).toHaveLength(1);
  });
});

describe("working", () => {
  it("lets the page go on", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout"] });
    let found = false;
    // A slice has some thousand tries; this takes 65,536 on average.
    void solve("page", 16).then(() => (found = true));
    expect(found).toBe(false);
    expect(vi.getTimerCount()).toBe(1);
    for (let left = 5_000; left && !found; left--) await vi.advanceTimersByTimeAsync(1);
    expect(found).toBe(true);
    vi.useRealTimers();
  });
});
