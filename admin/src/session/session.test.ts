import { afterEach, describe, expect, it, vi } from "vitest";
import { createApi } from "./api";
import { Problem, Unreachable } from "./problem";
import { createSession, type SessionDeps } from "./session";

type Answer = { status: number; body?: unknown };

/** A server whose tokens can be made to expire. Counts the refreshes, which is what most of these tests are about. */
function server(exclusive: SessionDeps["exclusive"] = (work) => work()) {
  const state = { valid: "", refreshes: 0, refreshStatus: 200, reach: true, hint: false };
  const answer = ({ status, body = {} }: Answer): Response => new Response(JSON.stringify(body), { status });
  const fetch = vi.fn(async (input: unknown, init?: RequestInit): Promise<Response> => {
    await Promise.resolve();
    if (!state.reach) throw new TypeError("network");
    const path = String(input);
    if (path.endsWith("/auth/logout")) return answer({ status: 200 });
    if (path.endsWith("/auth/login")) {
      state.valid = "of the next one";
      return answer({ status: 200, body: { access_token: state.valid, expires_in: 900 } });
    }
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
    exclusive,
    hint: { get: () => state.hint, set: (on) => void (state.hint = on) },
    now: () => 1_000,
  };
  /** Holds the next answer back until it is let go. */
  const late = (response: Response): (() => void) => {
    let letGo = (): void => undefined;
    fetch.mockImplementationOnce(async () => {
      await new Promise<void>((resolve) => (letGo = resolve));
      return response;
    });
    return () => letGo();
  };
  return { state, fetch, late, session: createSession(deps) };
}

const ann = { email: "a@b.example", password: "a long password" };

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
    const { state, session, late } = server();
    await session.refresh();
    const letGo = late(new Response("{}", { status: 401 }));
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
    const { session, late } = server();
    const letGo = late(new Response("{}", { status: 401 }));
    const refreshing = session.refresh();
    await session.login(ann);
    letGo();
    expect(await refreshing).toBe("of the next one");
    expect(session.signedIn.value).toBe(true);
  });

  it("stays ended when a refresh is answered after the sign-out", async () => {
    const { session, late } = server();
    await session.login(ann);
    const letGo = late(new Response('{"access_token":"late","expires_in":900}'));
    const refreshing = session.refresh();
    await session.logout();
    letGo();
    expect(await refreshing).toBeNull();
    expect(session.state.value).toEqual({ name: "out", reason: "left" });
  });

  it("is left and entered in turn with refreshes, and one that waited for that asks nothing", async () => {
    let turn: Promise<unknown> = Promise.resolve();
    const { state, session } = server((work) => {
      const mine = turn.then(work);
      turn = mine.catch(() => undefined);
      return mine;
    });
    await session.login(ann);
    const leaving = session.logout();
    const refreshing = session.refresh();
    const entering = session.login({ ...ann, email: "next@b.example" });
    await leaving;
    expect(await refreshing).toBeNull();
    expect(state.refreshes).toBe(0);
    await entering;
    expect(session.access()?.token).toBe("of the next one");
  });

  it("repeats no call of somebody who has left with the token of the next one", async () => {
    const { session, fetch, late } = server();
    await session.login(ann);
    const letGo = late(new Response('{"code":"unauthorized"}', { status: 401 }));
    const call = session.request("PATCH", "/a", {});
    await session.logout();
    await session.login({ ...ann, email: "next@b.example" });
    letGo();
    await expect(call).rejects.toBeInstanceOf(Problem);
    expect(fetch.mock.calls.filter(([path]) => String(path).endsWith("/a"))).toHaveLength(1);
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

describe("a call", () => {
  afterEach(() => {
    vi.restoreAllMocks();
  });

  /** What AbortSignal.timeout gives, without the time. */
  function clock() {
    const stop = new AbortController();
    const timeout = vi.spyOn(AbortSignal, "timeout").mockReturnValue(stop.signal);
    return { timeout, strike: () => stop.abort(new DOMException("late", "TimeoutError")) };
  }
  const hang = (_: unknown, init?: RequestInit): Promise<Response> =>
    new Promise((_, reject) => init?.signal?.addEventListener("abort", () => reject(init.signal?.reason)));

  it("that is not answered in 15 s is given up, a refresh that all tabs wait for as well", async () => {
    const { session, fetch } = server();
    const { timeout, strike } = clock();
    fetch.mockImplementation(hang);
    const calls = [session.refresh(), session.request("GET", "/a", undefined, new AbortController().signal), session.login(ann)];
    expect(timeout.mock.calls).toEqual([[15_000], [15_000], [15_000]]);
    strike();
    for (const call of calls) await expect(call).rejects.toBeInstanceOf(Unreachable);
  });

  it("whose answer breaks off was not answered", async () => {
    const { session, fetch } = server();
    fetch.mockResolvedValueOnce(new Response('{"items":['));
    await expect(session.request("GET", "/a")).rejects.toBeInstanceOf(Unreachable);
  });

  it("that its caller aborts says so", async () => {
    const { session, fetch } = server();
    const stop = new AbortController();
    fetch.mockImplementation(hang);
    const call = session.request("GET", "/a", undefined, stop.signal);
    stop.abort(new DOMException("enough", "AbortError"));
    await expect(call).rejects.toMatchObject({ name: "AbortError" });
  });

  it("for a stream or a poll has its caller's bounds alone", async () => {
    const { session, fetch } = server();
    await session.refresh();
    const { timeout } = clock();
    const stop = new AbortController();
    await createApi(session).pollEvents("p1", null, 25, stop.signal);
    expect(timeout).not.toHaveBeenCalled();
    expect(fetch.mock.lastCall?.[1]?.signal).toBe(stop.signal);
  });
});
