import type { FieldError } from "../session/problem";

/** One origin a line; commas and blanks are taken for line breaks, because that is how lists get pasted. */
export function readOrigins(text: string): string[] {
  return [...new Set(text.split(/[\s,]+/).filter(Boolean))];
}

/** The server's words about single entries, each with the entry it speaks of. */
export function originErrors(fields: readonly FieldError[], origins: readonly string[]): string | undefined {
  const lines = fields
    .filter(({ path }) => path.startsWith("allowed_origins"))
    .map(({ path, message }) => {
      const origin = origins[Number(/\d+/.exec(path)?.[0] ?? NaN)];
      return origin ? `${origin}: ${message}` : message;
    });
  return lines.length > 0 ? lines.join(" ") : undefined;
}
