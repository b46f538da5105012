import { vi } from "vitest";
import type { Config } from "./config";
import en from "./locales/en.json";

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
  strings: en,
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
