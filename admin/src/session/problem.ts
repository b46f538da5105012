/** One field of a refused body, `path` in dots (`settings.accent`, `allowed_origins[0]`). */
export interface FieldError {
  path: string;
  message: string;
}

/** An answer of the server that is not a success: RFC 9457, with the code of the contract's table. */
export class Problem extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly fields: readonly FieldError[] = [],
    /** The present object, sent along with a 409 `conflict`. */
    readonly current: unknown = undefined,
    readonly retryAfterMs: number | null = null,
  ) {
    super(message);
    this.name = "Problem";
  }
}

/** The request never got an answer: no network, a closed server, a proxy that hung up. Worth a retry. */
export class Unreachable extends Error {
  constructor(cause: unknown) {
    super("unreachable", { cause });
    this.name = "Unreachable";
  }
}

/** Answers are read field by field: a proxy's error page may be JSON too, of any shape. */
function record(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}

function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}

/** Reads any failed answer; a body that is not a problem document (a proxy's page) still becomes a Problem. */
export async function readProblem(response: Response): Promise<Problem> {
  const body = record(await response.json().catch(() => null));
  const fields = Array.isArray(body["errors"])
    ? body["errors"].map(record).map((entry) => ({
        path: text(entry["path"]).replace(/^body\./, ""),
        message: text(entry["message"]),
      }))
    : [];
  // Seconds only: the server sends no dates here, and a proxy's date is read as "unknown".
  const retryAfter = Number(response.headers.get("Retry-After"));
  return new Problem(
    response.status,
    text(body["code"]) || "internal",
    text(body["detail"]) || text(body["title"]) || `HTTP ${response.status}`,
    fields,
    body["current"],
    Number.isFinite(retryAfter) && retryAfter > 0 ? retryAfter * 1000 : null,
  );
}
