import { Unreachable } from "./problem";

/** One call of the API, below /api/v1. */
export interface Call {
  method: string;
  path: string;
  body?: unknown;
  headers?: Record<string, string>;
  abort?: AbortSignal | undefined;
  /** Without our own bound. */
  patient?: boolean;
}

/** What is not answered by then never will be. Until then it may hold up the other tabs, which wait for a refresh. */
const answerMs = 15_000;

function bounded(abort: AbortSignal | undefined): AbortSignal {
  const late = AbortSignal.timeout(answerMs);
  return abort ? AbortSignal.any([abort, late]) : late;
}

/** Aborted by the caller, who expects just that; all else means that no answer came. */
const silence = (cause: unknown): unknown => (cause instanceof DOMException && cause.name === "AbortError" ? cause : new Unreachable(cause));

/** One request, no retry. A cookie is sent to our own origin only. */
export async function send(via: typeof fetch, { method, path, body, abort, patient, ...call }: Call, bearer: string | null): Promise<Response> {
  const headers: Record<string, string> = { Accept: "application/json", ...call.headers };
  if (bearer) headers["Authorization"] = `Bearer ${bearer}`;
  // A form says itself of what type it is, with the boundary between its parts.
  const form = body instanceof FormData;
  if (body !== undefined && !form) headers["Content-Type"] = "application/json";
  try {
    return await via(`/api/v1${path}`, {
      method,
      headers,
      body: body === undefined ? null : form ? body : JSON.stringify(body),
      credentials: "same-origin",
      signal: patient || form ? (abort ?? null) : bounded(abort),
    });
  } catch (cause) {
    throw silence(cause);
  }
}

/** An answer that breaks off is none. */
export function content(response: Response): Promise<unknown> {
  return response.json().catch((cause: unknown) => {
    throw silence(cause);
  });
}
