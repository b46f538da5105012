import type { FeedbackQuery } from "../session/api";
import type { Kind, Status } from "../session/types";

/** In the order work goes through them. */
export const statuses: readonly Status[] = ["new", "open", "in_progress", "resolved", "closed"];
/** In the order visitors are offered them. */
export const kinds: readonly Kind[] = ["bug", "idea", "question", "praise", "other"];

/** Reads a view from the URL; values that are no status or kind are left out, so that a mistyped link still shows something. */
export function readQuery(search: URLSearchParams): FeedbackQuery {
  const known = (name: string, values: readonly string[]): string => {
    const value = search.get(name) ?? "";
    return values.includes(value) ? value : "";
  };
  return {
    status: known("status", statuses),
    kind: known("kind", kinds),
    // The server's own limit; a longer link is cut rather than refused.
    q: (search.get("q") ?? "").trim().slice(0, 200),
    quarantined: search.get("quarantined") === "true",
  };
}

/** The view's part of a URL: only what differs from the plain inbox, always in the same order. */
export function writeQuery(query: FeedbackQuery): URLSearchParams {
  const search = new URLSearchParams();
  if (query.status) search.set("status", query.status);
  if (query.kind) search.set("kind", query.kind);
  if (query.q) search.set("q", query.q);
  if (query.quarantined) search.set("quarantined", "true");
  return search;
}

export const isFiltered = (query: FeedbackQuery): boolean => Boolean(query.status || query.kind || query.q);
