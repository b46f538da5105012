import type { components } from "../../../realtime/protocol/ts";
import type { Config } from "../config";
import type { Feedback } from "../outbox";
import { solve } from "./proof";

const TIMEOUT_MS = 15_000;

/**
 * The submission as it may be accepted, after a refusal with that code, about that field. Undefined where only the
 * visitor could do something about it; it rejects where the server does not answer.
 */
export async function mend(config: Config, body: Feedback, code: string, field = ""): Promise<Feedback | undefined> {
  if (code === "challenge_required") return { ...body, proof: await prove(config) };
  const { identity, attachment_ids, ...rest } = body;
  // The site's fault. The visitor's words count without it.
  if (identity && /^identity/.test(field)) return { ...rest, attachment_ids };
  // Files are kept for an hour, and messages that could not be sent for longer: staff learn that there were some.
  if (attachment_ids?.length && /^attachment_ids/.test(field)) {
    const before = rest.context as { lost_files?: number } | undefined;
    return { ...rest, identity, context: { ...before, lost_files: (before?.lost_files || 0) + attachment_ids.length } };
  }
  return undefined;
}

async function prove(config: Config): Promise<string> {
  const answer = await fetch(`${config.api}/w/${config.key}/challenge`, { credentials: "omit", signal: AbortSignal.timeout(TIMEOUT_MS) });
  if (!answer.ok) throw answer.status;
  const { challenge, difficulty }: components["schemas"]["Challenge"] = await answer.json();
  return solve(challenge, difficulty);
}
