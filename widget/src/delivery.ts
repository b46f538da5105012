import type { VisitorClientEvent, VisitorServerEvent } from "../../realtime/protocol/ts";
import { loadChunk } from "./chunk";
import type { Config } from "./config";
import type { Emitter } from "./emitter";
import type { Attached } from "./form";
import type { Feedback, Outbox, Parcel } from "./outbox";
import { uuidv7 } from "./uuid";

const POST_TIMEOUT_MS = 15_000;
/** How often other tabs are told that a message's files are still on their way. */
const SIGN_OF_LIFE_MS = 20_000;
/** How often a submission is mended before its refusal counts. */
const MENDINGS = 3;

/** What the server answers to an event of the visitor with that token. Undefined: no socket could carry it. */
export type Ask = (owner: string, event: VisitorClientEvent & { id: string }) => Promise<VisitorServerEvent | undefined>;

/** What became of one attempt. `later`: try again, no sooner than the given milliseconds. */
type Answer =
  | { state: "sent" }
  | { state: "refused"; code: string; message: string; field?: string }
  /** `dumb`: nothing was answered that this page may read. */
  | { state: "later"; after?: number; dumb?: boolean };

export type Outcome =
  | { state: "sent"; id: string }
  /** `durable`: it survives this page. */
  | { state: "kept"; id: string; durable: boolean }
  | { state: "refused"; id: string; code: string; message: string; field?: string };

export interface Delivery {
  /**
   * Takes the ladder socket, POST, outbox; what it resolves to may be shown to the visitor as it is. It is in the outbox
   * at once and waits there for its files. Rejects only with a file's Fault, and then it is not sent.
   */
  submit(body: Feedback, files?: Attached[]): Promise<Outcome>;
  /** Tries what waits. `eager` after good news: online again, visible again. */
  flush(eager?: boolean): Promise<void>;
  /** The page is left. What is under way may arrive or not: the next page need not wait to try it again. */
  leave(): void;
}

export function createDelivery(
  config: Config,
  outbox: Outbox,
  ask: Ask,
  emitter: Emitter,
  /** Once it says so nothing is tried again by itself. */
  stop?: AbortSignal,
): Delivery {
  let timer: ReturnType<typeof setTimeout>;
  const underWay = new Set<string>();
  let warned = false;

  /** `kept`: the outbox has it, so there is a later. */
  async function attempt(entry: Parcel, kept = true): Promise<Answer> {
    const { id } = entry;
    underWay.add(id);
    let answer = await mended(entry, await carry(entry));
    underWay.delete(id);
    // A browser keeps the refusal of an origin from the page it is about, so this is as much as can be known.
    if (!warned && (answer.state === "refused" ? answer.code === "forbidden" : answer.state === "later" && answer.dumb)) {
      warned = true;
      console.warn(`Earshot: ${config.api} does not answer or allow ${location.origin}`);
    }
    if (answer.state === "later" && !kept) answer = { state: "refused", code: "outbox_full", message: "" };
    if (answer.state === "sent") {
      outbox.remove(id);
      emitter.emit("sent", { id });
    } else if (answer.state === "later") {
      outbox.later(id, answer.after);
      schedule();
    } else emitter.emit("error", { ...answer, id });
    return answer;
  }

  const carry = async (entry: Parcel): Promise<Answer> =>
    told(await ask(entry.token, { type: "FeedbackSubmitted", id: entry.id, data: entry.body })) || post(config, entry);

  /** A refusal may ask for something that can be done without the visitor. Where the script for it does not come, it stands. */
  async function mended(entry: Parcel, answer: Answer): Promise<Answer> {
    try {
      for (let left = MENDINGS; answer.state === "refused" && left--; ) {
        const { mend } = await loadChunk(config, "mend");
        const body = await mend(config, entry.body, answer.code, answer.field);
        if (!body) break;
        outbox.revise(entry.id, body);
        answer = await carry((entry = { ...entry, body }));
      }
    } catch {}
    return answer;
  }

  function schedule(): void {
    clearTimeout(timer);
    const wait = outbox.wait();
    if (wait < Infinity && !stop?.aborted) timer = setTimeout(flush, wait);
  }

  async function flush(eager?: boolean): Promise<void> {
    if (eager) outbox.hurry();
    for (let entry; (entry = outbox.claim()); ) {
      // After a sleep an entry may be given out anew while its attempt here still waits for an answer.
      if (underWay.has(entry.id)) continue;
      // The page that waited for its files is gone.
      const answer = await attempt(entry.missing ? outbox.part(entry) : entry);
      if (answer.state === "refused") outbox.fail(entry.id);
    }
    schedule();
  }

  /** Waits for the files, which the body names as they come. False: another page sends it without them. */
  async function gather(id: string, body: Feedback, files: Attached[], missing: string[]): Promise<boolean | undefined> {
    let ours: boolean | undefined;
    const note = (..._: unknown[]) => {
      // One that had arrived may be taken away as long as others have not.
      body.attachment_ids = files.flatMap(({ id = [] }) => id);
      return (ours = outbox.progress(id, body, missing.flat()));
    };
    const timer = setInterval(note, SIGN_OF_LIFE_MS);
    underWay.add(id);
    try {
      note();
      await Promise.all(files.map(async (file, at) => note(await file.settled, delete missing[at])));
    } catch (fault) {
      // Another page may have it by now, and then it must not come back as a draft.
      if (note() !== false) {
        outbox.remove(id);
        throw fault;
      }
    } finally {
      clearInterval(timer);
      underWay.delete(id);
    }
    return ours;
  }

  async function submit(body: Feedback, files: Attached[] = []): Promise<Outcome> {
    const id = uuidv7();
    const names = files.map(({ name }) => name);
    const kept = outbox.add(id, body, files[0] && names);
    const taken = files[0] && (await gather(id, body, files, names)) === false;
    const answer: Answer = taken ? { state: "later" } : await attempt({ id, token: outbox.token(), body, ...kept }, !!kept);
    if (answer.state === "later") return { state: "kept", id, durable: outbox.durable() };
    if (answer.state === "refused") outbox.remove(id);
    return { ...answer, id };
  }

  return { submit, flush, leave: () => underWay.forEach((id) => outbox.later(id)) };
}

/** Undefined where POST is to try: it may be the node that is in trouble and not the submission, and its refusal is final. */
function told(event?: VisitorServerEvent): Answer | undefined {
  if (event?.type === "FeedbackReceived") return { state: "sent" };
  if (event?.type !== "Error") return undefined;
  const { code, message, retry_after_ms: after } = event.data;
  if (code === "rate_limited") return { state: "later", after };
  if (code === "challenge_required") return { state: "refused", code, message };
  return undefined;
}

/** Statuses that speak of the moment and not of the message. */
const MOMENTARY = /408|425|429|5../;

interface Body {
  id?: string;
  code?: string;
  detail?: string;
  errors?: { path: string; message: string }[];
  retry_after_ms?: number;
}

async function post(config: Config, entry: Parcel): Promise<Answer> {
  const text = JSON.stringify({ ...entry.body, id: entry.id, resume_token: entry.token });
  try {
    const answer = await fetch(`${config.api}/w/${config.key}/feedback`, {
      method: "POST",
      // As text, which is what a string is sent as, it needs no preflight.
      body: text,
      credentials: "omit",
      // Outlives the page, but browsers refuse it above 64 KiB in flight.
      keepalive: text.length < 20_000,
      signal: AbortSignal.timeout(POST_TIMEOUT_MS),
    });
    const { status } = answer;
    const body: Body = (await answer.json().catch(() => null)) || {};
    // The id is taken by this very message: another page has sent it with fewer files.
    if ((answer.ok && body.id === entry.id) || body.code === "id_conflict") return { state: "sent" };
    // A success that does not name the submission came from something in between: a proxy, a captive portal.
    if (answer.ok || MOMENTARY.test(`${status}`)) {
      // Across origins the header may be hidden from us; the body says the same.
      const seconds = +answer.headers.get("Retry-After")!;
      return { state: "later", after: seconds * 1_000 || body.retry_after_ms };
    }
    const { code = `${status}`, detail: message = "", errors } = body;
    return { state: "refused", code, message, field: errors?.[0]?.path };
  } catch {
    return { state: "later", dumb: true };
  }
}
