import { Problem } from "../session/problem";
import { entry } from "../text/en-entry";
import { explain } from "../workspace";

/** As `explain`, and how long to wait where too much was tried: whoever stands before the door has nothing else to do. */
export function explainEntry(cause: unknown): string {
  if (cause instanceof Problem && cause.code === "rate_limited" && cause.retryAfterMs !== null) return entry.limited(cause.retryAfterMs);
  return explain(cause);
}

/** The server's words beside each field of a form, by the field's name. */
export function fieldErrors<Name extends string>(cause: unknown, names: readonly Name[]): Partial<Record<Name, string>> {
  const fields = cause instanceof Problem ? cause.fields : [];
  return Object.fromEntries(
    names.flatMap((name) => {
      const found = fields.find(({ path }) => path === name || path.startsWith(`${name}.`) || path.startsWith(`${name}[`));
      return found ? [[name, found.message]] : [];
    }),
  ) as Partial<Record<Name, string>>;
}
