import type { Config } from "../config";
import type { Words } from "./words";

/** A file may take its time on a slow line. */
const TIMEOUT_MS = 120_000;
const TRIES = 4;
const PAUSE_MS = 2_000;
/** Longer than this nobody waits with the panel open. */
const PATIENCE_MS = 20_000;

/** Why a file was not taken, as one of the words for it. */
export type Fault = Extract<keyof Words, `err${string}`>;

/**
 * Sends a file as the visitor whose token it is, and resolves to its id, which a submission within the hour may name.
 * What is of the moment is tried again; it rejects with a Fault, or with the signal's reason.
 */
export async function upload(config: Config, token: string, file: File, stop: AbortSignal): Promise<string> {
  for (let tries = 1; ; tries++) {
    const { id, fault, after = PAUSE_MS * tries } = await attempt(config, token, file, stop);
    stop.throwIfAborted();
    if (id) return id;
    if (fault || tries === TRIES || after > PATIENCE_MS) throw fault || "errFailed";
    await pause(after, stop);
    stop.throwIfAborted();
  }
}

/** Ends early with the signal: others wait in line behind it. */
const pause = (ms: number, stop: AbortSignal): Promise<unknown> =>
  new Promise((done) => {
    setTimeout(done, ms);
    stop.addEventListener("abort", done);
  });

interface Attempt {
  id?: string;
  fault?: Fault;
  after?: number;
}

async function attempt(config: Config, token: string, file: File, stop: AbortSignal): Promise<Attempt> {
  const body = new FormData();
  body.append("file", file, file.name);
  try {
    const answer = await fetch(`${config.api}/w/${config.key}/attachments`, {
      method: "POST",
      body,
      credentials: "omit",
      headers: { Authorization: `Bearer ${token}` },
      signal: AbortSignal.any([stop, AbortSignal.timeout(TIMEOUT_MS)]),
    });
    const { id, retry_after_ms: after } = (await answer.json().catch(() => null)) || {};
    if (answer.ok && id) return { id };
    const fault = faultOf(answer.status);
    // Its name says so, and what is in it does not.
    const text = file.type === "text/plain" || /\.(txt|log)$/i.test(file.name);
    return { fault: fault === "errKind" && text ? "errText" : fault, after };
  } catch {
    return {};
  }
}

/** None where the status speaks of the moment. A success without an id came from something in between. */
function faultOf(status: number): Fault | undefined {
  if (status < 400 || status >= 500 || /408|425|429/.test(`${status}`)) return undefined;
  if (status === 413) return "errSize";
  // The server looks into files: a broken picture is no picture.
  return /400|415|422/.test(`${status}`) ? "errKind" : "errFailed";
}
