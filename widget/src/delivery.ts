import type { Config } from "./config";
import type { Emitter } from "./emitter";
import type { Entry, Feedback, Outbox } from "./outbox";
import type { Answer, Session } from "./session";
import { uuidv7 } from "./uuid";

const POST_TIMEOUT_MS = 15_000;

export type Outcome =
  | { state: "sent"; id: string; receipt?: string }
  /** `durable`: it survives this page. */
  | { state: "kept"; id: string; durable: boolean }
  | { state: "refused"; id: string; code: string; message: string; field?: string };

export interface Delivery {
  /** Never rejects. Takes the ladder socket, POST, outbox; what it resolves to may be shown to the visitor as it is. */
  submit(body: Feedback): Promise<Outcome>;
  /** Tries what waits. `eager` after good news: online again, visible again. */
  flush(eager?: boolean): Promise<void>;
  destroy(): void;
}

export function createDelivery(config: Config, outbox: Outbox, session: Session, emitter: Emitter): Delivery {
  const busy = new Set<string>();
  let timer: ReturnType<typeof setTimeout> | undefined;
  let destroyed = false;

  async function attempt(entry: Entry): Promise<Answer> {
    busy.add(entry.id);
    const answer = (await session.submit(entry)) || (await post(config, entry));
    busy.delete(entry.id);
    const { id } = entry;
    if (answer.state === "sent") {
      outbox.remove(id);
      emitter.emit("sent", { id });
    } else if (answer.state === "later") {
      outbox.later(id, answer.after);
      schedule();
    } else emitter.emit("error", { id, code: answer.code, message: answer.message });
    return answer;
  }

  function schedule(): void {
    clearTimeout(timer);
    const wait = outbox.wait();
    // The floor keeps an entry that is busy, and therefore skipped, from spinning.
    if (wait !== undefined && !destroyed) timer = setTimeout(flush, Math.max(wait, 1_000));
  }

  async function flush(eager?: boolean): Promise<void> {
    for (const entry of outbox.due(eager)) {
      if (destroyed) return;
      if (busy.has(entry.id)) continue;
      const answer = await attempt(entry);
      if (answer.state === "refused") outbox.fail(entry.id, answer.code);
    }
    schedule();
  }

  async function submit(body: Feedback): Promise<Outcome> {
    const id = uuidv7();
    const kept = outbox.add(id, body);
    const entry = kept || { id, token: outbox.token(), body, at: 0, tries: 0, next: 0, hold: 0 };
    const answer = await attempt(entry);
    if (answer.state === "sent") return { ...answer, id };
    if (answer.state === "refused") {
      outbox.remove(id);
      return { ...answer, id };
    }
    if (kept) return { state: "kept", id, durable: outbox.durable() };
    const message = "The outbox is full.";
    emitter.emit("error", { id, code: "outbox_full", message });
    return { state: "refused", id, code: "outbox_full", message };
  }

  return {
    submit,
    flush,
    destroy() {
      destroyed = true;
      clearTimeout(timer);
    },
  };
}

/** Statuses of the 4xx range that speak of the moment and not of the message. */
const MOMENTARY = [408, 425, 429];

interface Body {
  id?: string;
  receipt_url?: string;
  code?: string;
  detail?: string;
  errors?: { path: string; message: string }[];
  retry_after_ms?: number;
}

async function post(config: Config, entry: Entry): Promise<Answer> {
  const abort = new AbortController();
  const timer = setTimeout(() => abort.abort(), POST_TIMEOUT_MS);
  const text = JSON.stringify({ ...entry.body, id: entry.id, resume_token: entry.token });
  try {
    const answer = await fetch(`${config.api}/w/${config.key}/feedback`, {
      method: "POST",
      // A content type that needs no preflight.
      headers: { "Content-Type": "text/plain" },
      body: text,
      credentials: "omit",
      // Outlives the page, but browsers refuse it above 64 KiB in flight.
      keepalive: text.length < 20_000,
      signal: abort.signal,
    });
    const { status } = answer;
    const body: Body = (await answer.json().catch(() => null)) || {};
    if (answer.ok && body.id === entry.id) return { state: "sent", receipt: body.receipt_url };
    // A success that does not name the submission came from something in between: a proxy, a captive portal.
    if (answer.ok || status >= 500 || MOMENTARY.includes(status)) return { state: "later", after: retryAfter(answer, body) };
    const [field] = body.errors || [];
    return {
      state: "refused",
      code: body.code || String(status),
      message: field?.message || body.detail || "",
      field: field?.path,
    };
  } catch {
    return { state: "later" };
  } finally {
    clearTimeout(timer);
  }
}

/** Milliseconds. Across origins the header may be hidden from us; the body says the same. */
function retryAfter(answer: Response, body: Body): number | undefined {
  const header = answer.headers.get("Retry-After");
  if (!header) return body.retry_after_ms;
  return isNaN(+header) ? Math.max(0, Date.parse(header) - Date.now()) : +header * 1_000;
}
