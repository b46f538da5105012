import { describe, expect, it, vi } from "vitest";
import { Problem, Unreachable } from "./problem";
import { createSession, type SessionDeps } from "./session";

type Answer = { status: number; body?: unknown };

/** A server whose tokens can be made to expire. Counts the refreshes, which is what most of these tests are about. */
function server() {
  const state = { valid: "", refreshes: 0, refreshStatus: 200, reach: true, hint: false };
  const answer = ({ status, body = {} }: Answer): Response => new Response(JSON.stringify(body), { status });
  const fetch = vi.fn(async (input: unknown, init?: RequestInit): Promise<Response> => {
    await Promise.resolve();
    if (!state.reach) throw new TypeError("network");
    const path = String(input);
    if (path.endsWith("/auth/refresh")) {
      state.refreshes++;
      if (state.refreshStatus !== 200) return answer({ status: state.refreshStatus, body: { code: "unauthorized" } });
      state.valid = `t${state.refreshes}`;
      return answer({ status: 200, body: { access_token: state.valid, expires_in: 900 } });
    }
    const sent = new Headers(init?.headers).get("Authorization");
    if (sent !== `Bearer ${state.valid}`) return answer({ status: 401, body: { code: "unauthorized" } });
    return answer({ status: 200, body: { path } });
  });
  const deps: SessionDeps = {
    fetch: fetch as unknown as typeof globalThis.fetch,
    exclusive: (work) => work(),
    hint: { get: () => state.hint, set: (on) => void (state.hint = on) },
    now: () => 1_000,
  };
  return { state, fetch, session: createSession(deps) };
}

describe("session", () => {
  it("knows when its token ends", async () => {
    const { session } = server();
    expect(session.access()).toBeNull();
    await session.refresh();
    expect(session.access()).toMatchObject({ token: "t1", expires: 901_000 });
  });

  it("refreshes once for a stream, too, and asks for it as it was told", async () => {
    const { state, session, fetch } = server();
    await session.refresh();
    state.valid = "expired on the server";
    const stop = new AbortController();
    const response = await session.stream("/events", { Accept: "text/event-stream" }, stop.signal);
    expect(response.ok).toBe(true);
    expect(fetch.mock.lastCall?.[1]).toMatchObject({ headers: { Accept: "text/event-stream", Authorization: "Bearer t2" }, signal: stop.signal });
  });

  it("refreshes once for any number of concurrent 401s, and repeats each call", async () => {
    const { state, session } = server();
    await session.refresh();
    state.valid = "expired on the server";
    const answers = await Promise.all(["/a", "/b", "/c"].map((path) => session.request<{ path: string }>("GET", path)));
    expect(answers.map(({ path }) => path)).toEqual(["/api/v1/a", "/api/v1/b", "/api/v1/c"]);
    expect(state.refreshes).toBe(2);
  });

  it("does not refresh again for a 401 that was under way while another call refreshed", async () => {
    const { state, session, fetch } = server();
    await session.refresh();
    let letGo = (): void => undefined;
    fetch.mockImplementationOnce(async () => {
      await new Promise<void>((resolve) => (letGo = resolve));
      return new Response("{}", { status: 401 });
    });
    const slow = session.request("GET", "/slow");
    await session.refresh();
    letGo();
    await slow;
    expect(state.refreshes).toBe(2);
  });

  it("ends with a reason in the tabs that did not sign out themselves", async () => {
    const { state, session } = server();
    await session.refresh();
    state.hint = false;
    state.refreshStatus = 401;
    await session.refresh();
    expect(session.state.value).toEqual({ name: "out", reason: "expired" });
  });

  it("ends with a reason when the refresh is refused", async () => {
    const { state, session } = server();
    await session.refresh();
    state.valid = "";
    state.refreshStatus = 401;
    await expect(session.request("GET", "/a")).rejects.toBeInstanceOf(Problem);
    expect(session.state.value).toEqual({ name: "out", reason: "expired" });
  });

  it("is not ended by a refusal that is older than it", async () => {
    const { session, fetch } = server();
    let letGo = (): void => undefined;
    fetch.mockImplementationOnce(async () => {
      await new Promise<void>((resolve) => (letGo = resolve));
      return new Response("{}", { status: 401 });
    });
    const late = session.refresh();
    fetch.mockResolvedValueOnce(new Response('{"access_token":"new","expires_in":900}'));
    await session.login({ email: "a@b.example", password: "a long password" });
    letGo();
    expect(await late).toBe("new");
    expect(session.signedIn.value).toBe(true);
  });

  it("gives a first visitor no reason", async () => {
    const { state, session } = server();
    state.refreshStatus = 401;
    expect(await session.refresh()).toBeNull();
    expect(session.state.value).toEqual({ name: "out", reason: "none" });
  });

  it("stays signed in while the server cannot be reached", async () => {
    const { state, session } = server();
    await session.refresh();
    state.reach = false;
    await expect(session.request("GET", "/a")).rejects.toBeInstanceOf(Unreachable);
    await expect(session.refresh()).rejects.toBeInstanceOf(Unreachable);
    expect(session.signedIn.value).toBe(true);
  });

  it("asks again after a refresh that failed", async () => {
    const { state, session } = server();
    state.reach = false;
    await expect(session.refresh()).rejects.toBeInstanceOf(Unreachable);
    state.reach = true;
    expect(await session.refresh()).toBe("t1");
  });
});
