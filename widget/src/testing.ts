import { afterEach, beforeEach, vi } from "vitest";
import type { Api } from "./api";
import type { Config } from "./config";
import { createDelivery } from "./delivery";
import { createEmitter } from "./emitter";
import en from "./locales/en.json";
import { createOutbox } from "./outbox";
import { createSession } from "./live/session";

export const config = (over: Partial<Config> = {}): Config => ({
  key: "pk_test",
  api: "https://earshot.test",
  accent: "#4f46e5",
  theme: "auto",
  position: "right",
  kinds: ["bug", "idea"],
  rating: true,
  ask_email: true,
  locale: "en",
  texts: {},
  show_drafts: false,
  trigger: "button",
  // A copy: another language takes its place in it.
  strings: { ...en },
  ...over,
});

/** The browser's end of each socket that was opened, driven by hand. */
export class FakeWebSocket {
  static all: FakeWebSocket[] = [];
  readyState = 0;
  sent: { type: string; id?: string; data: Record<string, unknown> }[] = [];
  onopen?: () => void;
  onmessage?: (frame: { data: string }) => void;
  onclose?: (close: { code: number }) => void;
  constructor(readonly url: string) {
    FakeWebSocket.all.push(this);
  }
  send(frame: string) {
    this.sent.push(JSON.parse(frame));
  }
  close() {
    this.readyState = 3;
  }
  opens() {
    this.readyState = 1;
    this.onopen?.();
  }
  says(event: object) {
    this.onmessage?.({ data: JSON.stringify(event) });
  }
  ends(code: number) {
    this.readyState = 3;
    this.onclose?.({ code });
  }
}

export interface Posted {
  url: string;
  body: { id: string; resume_token: string; message: string };
}

/** Answers each request by the function; the default acknowledges submissions. Throwing is a network failure. */
export function fakeFetch(answer: (posted: Posted) => Response = ({ body }) => acknowledged(body.id)): Posted[] {
  const posts: Posted[] = [];
  vi.stubGlobal("fetch", async (url: string, init: RequestInit = {}) => {
    const posted = { url, body: JSON.parse(String(init.body ?? "{}")) };
    posts.push(posted);
    return answer(posted);
  });
  return posts;
}

export const reply = (status: number, body: unknown, headers: Record<string, string> = {}): Response =>
  new Response(JSON.stringify(body), { status, headers });

export const acknowledged = (id: string): Response => reply(201, { id });

/** Lets time pass, with what is loaded meanwhile. */
export async function settle(ms = 0): Promise<void> {
  await vi.advanceTimersByTimeAsync(0);
  await vi.dynamicImportSettled();
  await vi.advanceTimersByTimeAsync(ms);
}

/** A clock that stands still, an empty storage and sockets driven by hand, for each test of a file. */
export function useBrowser(after: () => void = () => {}): void {
  beforeEach(() => {
    vi.useFakeTimers();
    localStorage.clear();
    sessionStorage.clear();
    FakeWebSocket.all = [];
    vi.stubGlobal("WebSocket", FakeWebSocket);
  });
  afterEach(() => {
    after();
    vi.useRealTimers();
    vi.unstubAllGlobals();
    vi.restoreAllMocks();
  });
}

/** The ways out without a page around them. What is started ends with the test, by `useWaysOut`. */
export function start() {
  const emitter = createEmitter();
  const outbox = createOutbox("earshot:pk_test", () => localStorage);
  const stop = new AbortController();
  const session = createSession(config(), outbox.token, () => {}, stop.signal);
  const delivery = createDelivery(config(), outbox, session.ask, emitter, stop.signal);
  const end = () => (stop.abort(), session.close(true));
  started.push(end);
  return { emitter, outbox, session, delivery, end };
}
const started: (() => void)[] = [];

/** As `start`, with an open socket. */
export async function connected() {
  const all = start();
  all.session.open();
  await settle();
  const socket = FakeWebSocket.all.at(-1)!;
  socket.opens();
  return { ...all, socket };
}

export const useWaysOut = () => useBrowser(() => started.splice(0).forEach((end) => end()));

type Commands = Api & Record<string, (...args: unknown[]) => unknown> & { q?: unknown[] };
export const page = window as unknown as { Earshot?: Commands };

/** Puts the script into the page, with its configuration and attributes. */
export async function load(baked: unknown = config(), script: Record<string, string> = {}): Promise<Commands> {
  const el = Object.assign(document.createElement("script"), { type: "text/plain" });
  el.dataset.key = "pk_test";
  Object.assign(el.dataset, script);
  document.head.append(el);
  vi.stubGlobal("earshotConfig", baked);
  vi.resetModules();
  await import("./main");
  return page.Earshot!;
}

export const usePage = () =>
  useBrowser(() => {
    for (const name of ["ready", "open", "submit", "sent"]) page.Earshot?.off?.(name);
    page.Earshot?.destroy?.();
    delete page.Earshot;
    document.head.replaceChildren();
    document.body.replaceChildren();
  });

export const hosts = () => document.querySelectorAll("earshot-widget");
export const find = <E extends HTMLElement>(selector: string) => hosts()[0]!.shadowRoot!.querySelector<E>(selector)!;
/** Types into a field. */
export function write(text: string, field = "#message"): void {
  find<HTMLTextAreaElement>(field).value = text;
  find(field).dispatchEvent(new Event("input", { bubbles: true, composed: true }));
}
export const submit = () => find("form").dispatchEvent(new Event("submit", { cancelable: true }));
