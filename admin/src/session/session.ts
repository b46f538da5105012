import { computed, signal, type ReadonlySignal } from "@preact/signals";
import { readProblem, Problem, Unreachable } from "./problem";
import { content, send, type Call } from "./send";
import { organizationOf } from "./token";
import type { Credentials, JoinBody, SetupBody, SignUpBody } from "./types";

/** Why nobody is signed in. `none`: never was on this device, so the sign-in page owes no explanation. */
export type SignedOutReason = "none" | "expired" | "left";
/** `unknown` lasts from page load until the first refresh is answered. */
export type SessionState = { name: "unknown" } | { name: "in"; token: string; expires: number; organization: string } | { name: "out"; reason: SignedOutReason };

export interface SessionDeps {
  fetch: typeof fetch;
  /** Runs work alone among all tabs of this origin, so that two tabs never rotate one refresh token at the same time. */
  exclusive<T>(work: () => Promise<T>): Promise<T>;
  /** Remembers over reloads that somebody was signed in. Holds no secret. */
  hint: { get(): boolean; set(signedIn: boolean): void };
  now(): number;
}

export interface Session {
  state: ReadonlySignal<SessionState>;
  signedIn: ReadonlySignal<boolean>;
  /** Gets a fresh access token; concurrent calls share one request. Null: the session is over. Throws Unreachable. */
  refresh(): Promise<string | null>;
  login(body: Credentials): Promise<void>;
  setup(body: SetupBody): Promise<void>;
  signUp(body: SignUpBody): Promise<void>;
  /** Makes an account with an invitation's link. */
  join(body: JoinBody): Promise<void>;
  /** Moves the session to another organisation of the person's, in all windows: each sees it in `state` with its next token. */
  move(organizationId: string): Promise<void>;
  logout(): Promise<void>;
  /** A call of who need not be signed in: its refusal speaks of what it brought, and ends nobody's session. */
  ask<T>(path: string, body?: unknown): Promise<T>;
  /** A staff call. A 401 is answered by one refresh and one repeat; a second one ends the session. */
  request<T>(method: string, path: string, body?: unknown, signal?: AbortSignal): Promise<T>;
  /** As `request`, for an answer that takes its time or has no end: resolves to it once it has begun well. Its bounds are the caller's. */
  stream(path: string, headers: Record<string, string>, signal: AbortSignal): Promise<Response>;
  /** The present access token, and when it ends by the clock given. Null when nobody is signed in. */
  access(): { token: string; expires: number } | null;
}

/**
 * The access token lives in this closure and nowhere else: a stolen storage holds nothing. The refresh cookie is out of
 * reach of scripts. State changes are seen by everybody through `state`; nobody is called back.
 */
function createState({ hint, now }: SessionDeps) {
  const state = signal<SessionState>({ name: "unknown" });
  let visit = 0;
  return {
    state,
    /** Another number means that a session has ended or moved since: whoever is here now may be somebody else, or elsewhere. */
    visit: (): number => visit,
    access(): { token: string; expires: number } | null {
      const present = state.peek();
      return present.name === "in" ? present : null;
    },
    enter(answer: unknown): string {
      const { access_token: token, expires_in } = answer as { access_token: string; expires_in: number };
      const organization = organizationOf(token);
      const before = state.peek();
      if (before.name === "in" && before.organization !== organization) visit++;
      state.value = { name: "in", token, expires: now() + expires_in * 1000, organization };
      hint.set(true);
      return token;
    },
    leave(reason: SignedOutReason): null {
      visit++;
      state.value = { name: "out", reason };
      hint.set(false);
      return null;
    },
  };
}

/** Made once a page. Everything that staff may do goes through its `request`. */
export function createSession(deps: SessionDeps): Session {
  const { state, access, visit, enter, leave } = createState(deps);
  const token = (): string | null => access()?.token ?? null;
  let refreshing: Promise<string | null> | null = null;

  /** Each refresh uses the old cookie up; two at once would look like theft to the server. */
  async function rotate(before: SessionState, body: object = {}): Promise<string | null> {
    // Somebody has signed in or out while this waited its turn.
    if (state.peek() !== before) return token();
    const response = await send(deps.fetch, { method: "POST", path: "/auth/refresh", body }, null);
    const answer = response.ok ? await content(response) : null;
    // The same while the answer was on its way: it speaks of the session that was.
    if (state.peek() !== before) return token();
    if (answer) return enter(answer);
    // Only a refusal ends the session; a server that is down or busy says nothing about it.
    if (response.status === 401 || response.status === 403) {
      // Another tab that signed out has cleared the hint for all; whoever was in here is still owed the reason.
      return leave(before.name === "in" || deps.hint.get() ? "expired" : "none");
    }
    throw response.status >= 500 ? new Unreachable(response.status) : await readProblem(response);
  }

  function refresh(): Promise<string | null> {
    const before = state.peek();
    refreshing ??= deps.exclusive(() => rotate(before)).finally(() => (refreshing = null));
    return refreshing;
  }

  /** A 401 is answered by one refresh and one repeat; a second one ends the session. */
  async function answered(call: Call): Promise<Response> {
    const begun = visit();
    const used = token();
    let response = await send(deps.fetch, call, used);
    if (response.status === 401) {
      // Another call may have refreshed while this one was under way: its token is newer than the refused one.
      const fresh = visit() !== begun ? null : token() !== used ? token() : await refresh();
      // Who asked has left, then: the next one's token is not for this call, and its refusal does not end their session.
      if (!fresh || visit() !== begun) throw await readProblem(response);
      response = await send(deps.fetch, call, fresh);
      if (response.status === 401 && visit() === begun) leave("expired");
    }
    if (!response.ok) throw await readProblem(response);
    return response;
  }

  async function request<T>(method: string, path: string, body?: unknown, abort?: AbortSignal): Promise<T> {
    const response = await answered({ method, path, body, abort });
    return (response.status === 204 ? undefined : await content(response)) as T;
  }

  /**
   * Calls that bring a session: their 401 speaks of the password, so nothing is refreshed. Alone, or another tab's refresh
   * could still bring the cookie of whoever was here before.
   */
  function credentials(path: string, body: unknown): Promise<void> {
    return deps.exclusive(async () => {
      const response = await send(deps.fetch, { method: "POST", path, body }, null);
      if (!response.ok) throw await readProblem(response);
      enter(await content(response));
    });
  }

  async function ask<T>(path: string, body?: unknown): Promise<T> {
    const response = await send(deps.fetch, { method: body === undefined ? "GET" : "POST", path, body }, null);
    if (!response.ok) throw await readProblem(response);
    return (response.status === 204 ? undefined : await content(response)) as T;
  }

  /** Alone, too: a refresh under way would bring a cookie back that outlives the sign-out. */
  function logout(): Promise<void> {
    return deps.exclusive(async () => {
      // Unreachable leaves the session as it is: to look signed out while the cookie still works would be a lie.
      const response = await send(deps.fetch, { method: "POST", path: "/auth/logout", body: {} }, token());
      if (!response.ok && response.status !== 401) throw await readProblem(response);
      leave("left");
    });
  }

  return {
    state,
    signedIn: computed(() => state.value.name === "in"),
    refresh,
    login: (body) => credentials("/auth/login", body),
    setup: (body) => credentials("/setup", body),
    signUp: (body) => credentials("/auth/signup", body),
    join: (body) => credentials("/auth/invites/join", body),
    move: (organization_id) => deps.exclusive(async () => void (await rotate(state.peek(), { organization_id }))),
    logout,
    ask,
    request,
    stream: (path, headers, abort) => answered({ method: "GET", path, headers, abort, patient: true }),
    access,
  };
}

/** True for the refusals that a person can do nothing about but read. */
export function isProblem(error: unknown, code: string): error is Problem {
  return error instanceof Problem && error.code === code;
}
