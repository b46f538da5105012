import type { SocketHost } from "./host";

/** The browser's end of each socket that was opened, driven by hand. */
export class FakeWebSocket {
  readyState = 0;
  sent: { type: string; id?: string; data?: unknown }[] = [];
  closed: (number | undefined)[] = [];
  onopen?: () => void;
  onmessage?: (frame: { data: string }) => void;
  onclose?: (close: { code: number }) => void;
  constructor(
    readonly url: string,
    readonly protocol: string,
  ) {}
  send(frame: string): void {
    if (this.readyState !== 1) throw new Error("InvalidStateError");
    this.sent.push(JSON.parse(frame));
  }
  close(code?: number): void {
    this.closed.push(code);
    this.readyState = 2;
  }
  opens(): void {
    this.readyState = 1;
    this.onopen?.();
  }
  says(event: unknown): void {
    this.onmessage?.({ data: typeof event === "string" ? event : JSON.stringify(event) });
  }
  /** Opens and is greeted, as the server does it. */
  greets(data: object = {}): void {
    this.opens();
    this.says({ type: "Connected", data });
  }
  ends(code: number): void {
    this.readyState = 3;
    this.onclose?.({ code });
  }
}

/** Lets promises settle, those of streams included. */
const settle = (): Promise<void> => new Promise((resolve) => globalThis.setTimeout(resolve, 0));

/** A clock that stands still until it is told otherwise, and the sockets made meanwhile. */
export function createHost() {
  const sockets: FakeWebSocket[] = [];
  const timers = new Map<number, { at: number; work: () => void }>();
  let now = 1_000_000;
  let last = 0;
  const host = {
    setTimeout(work: () => void, ms: number) {
      timers.set(++last, { at: now + ms, work });
      return last;
    },
    clearTimeout: (timer?: number) => void timers.delete(timer ?? 0),
    Date: { now: () => now },
    WebSocket: class extends FakeWebSocket {
      constructor(url: string, protocol: string) {
        super(url, protocol);
        sockets.push(this);
      }
    },
  } as unknown as SocketHost;

  /** Runs what falls due within the time, in order. */
  async function advance(ms = 0): Promise<void> {
    const end = now + ms;
    await settle();
    for (;;) {
      const [due] = [...timers].filter(([, { at }]) => at <= end).sort(([, a], [, b]) => a.at - b.at);
      if (!due) break;
      timers.delete(due[0]);
      now = Math.max(now, due[1].at);
      due[1].work();
      await settle();
    }
    now = end;
  }

  return { host, sockets, socket: () => sockets.at(-1)!, advance, now: () => now, pending: () => timers.size };
}
