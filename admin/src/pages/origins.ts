import type { FieldError } from "../session/problem";

/** One origin a line; commas and blanks are taken for line breaks, because that is how lists get pasted. */
export function readOrigins(text: string): string[] {
  return [...new Set(text.split(/[\s,]+/).filter(Boolean))];
}

/** The server's words about single entries, each said once, with the entries that it speaks of. */
export function originErrors(fields: readonly FieldError[], origins: readonly string[]): string | undefined {
  const entries = new Map<string, string[]>();
  for (const { path, message } of fields) {
    if (!path.startsWith("allowed_origins")) continue;
    const origin = origins[Number(/\d+/.exec(path)?.[0] ?? NaN)];
    entries.set(message, [...(entries.get(message) ?? []), ...(origin ? [origin] : [])]);
  }
  const lines = [...entries].map(([message, named]) => (named.length > 0 ? `${named.join(", ")}: ${message}` : message));
  return lines.length > 0 ? lines.join(" ") : undefined;
}
