import type { Kind, Priority, Status } from "../session/types";

/** In the order work goes through them. */
export const statuses: readonly Status[] = ["new", "open", "in_progress", "resolved", "closed"];
/** In the order visitors are offered them. */
export const kinds: readonly Kind[] = ["bug", "idea", "question", "praise", "other"];
export const priorities: readonly Priority[] = ["urgent", "high", "normal", "low"];
export const ratings: readonly number[] = [5, 4, 3, 2, 1];
/** Relevance is of a search only, and what a search has without a choice. */
export const sorts = ["-created_at", "created_at", "-updated_at", "updated_at", "-priority", "priority", "-rating", "rating", "relevance"] as const;
export type Sort = (typeof sorts)[number];

/** What is listed, and how. Empty means: not filtered by it. The names are the API's own. */
export interface FeedbackQuery {
  status: readonly Status[];
  kind: readonly Kind[];
  priority: readonly Priority[];
  rating: readonly number[];
  tag: string;
  /** A member's id, "me", "none", or "" for all. */
  assignee: string;
  q: string;
  /** Moments; `from` is inclusive, `to` is not. */
  from: string;
  to: string;
  page_url: string;
  unread: boolean;
  quarantined: boolean;
  /** "" is the list's own order: the newest first, of a search the best. */
  sort: Sort | "";
  /** The saved view that this began as. It changes nothing of what is listed. */
  view: string;
}

export const everything: FeedbackQuery = {
  status: [],
  kind: [],
  priority: [],
  rating: [],
  tag: "",
  assignee: "",
  q: "",
  from: "",
  to: "",
  page_url: "",
  unread: false,
  quarantined: false,
  sort: "",
  view: "",
};

/** One filter's values as they were sent or stored: a list, or text with commas. */
function several<T extends string | number>(value: unknown, known: readonly T[]): readonly T[] {
  const given = (Array.isArray(value) ? value : String(value ?? "").split(",")).map(String);
  return known.filter((one) => given.includes(String(one)));
}

const moment = (value: unknown): string => (typeof value === "string" && !Number.isNaN(Date.parse(value)) ? new Date(value).toISOString() : "");
const text = (value: unknown, length: number): string => (typeof value === "string" ? value.trim().slice(0, length) : "");

/** From names and values, of an address or of a saved view. What is not known is left out, so that a mistyped link still shows something. */
function fromNames(get: (name: keyof FeedbackQuery) => unknown): FeedbackQuery {
  const q = text(get("q"), 200);
  const sort = several(get("sort"), sorts)[0] ?? "";
  return {
    status: several(get("status"), statuses),
    kind: several(get("kind"), kinds),
    priority: several(get("priority"), priorities),
    rating: several(get("rating"), ratings),
    tag: text(get("tag"), 100),
    assignee: text(get("assignee"), 40),
    q,
    from: moment(get("from")),
    to: moment(get("to")),
    page_url: text(get("page_url"), 2048),
    unread: String(get("unread")) === "true",
    quarantined: String(get("quarantined")) === "true",
    sort: sort === "relevance" && !q ? "" : sort,
    view: text(get("view"), 40),
  };
}

/** Reads what is listed from the URL. */
export const readQuery = (search: URLSearchParams): FeedbackQuery => fromNames((name) => search.get(name));

/** Reads what a saved view lists. */
export const readView = (query: unknown, id = ""): FeedbackQuery =>
  fromNames((name) => (name === "view" ? id : (query as Partial<Record<string, unknown>> | null)?.[name]));

/** Its part of a URL: only what differs from the plain list, always in the same order. */
export function writeQuery(query: FeedbackQuery): URLSearchParams {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    const said = Array.isArray(value) ? value.join() : value === false ? "" : String(value);
    if (said) search.set(name, said);
  }
  return search;
}

/** The same as the API is asked. */
export function apiSearch(query: FeedbackQuery): URLSearchParams {
  const search = writeQuery({ ...query, sort: order(query) });
  search.delete("view");
  return search;
}

/** As a saved view keeps it. */
export function viewBody(query: FeedbackQuery): Record<string, unknown> {
  const kept = Object.entries({ ...query, view: "" }).filter(([, value]) => (Array.isArray(value) ? value.length > 0 : value));
  return Object.fromEntries(kept);
}

/** The order in which it is listed. */
export const order = ({ sort, q }: FeedbackQuery): Sort => sort || (q ? "relevance" : "-created_at");

/** Whether two list the same in the same order. */
export const sameList = (a: FeedbackQuery, b: FeedbackQuery): boolean => apiSearch(a).toString() === apiSearch(b).toString();

/** How many filters there are beside the search. */
export function filterCount(query: FeedbackQuery): number {
  return [...writeQuery({ ...query, q: "", quarantined: false, sort: "", view: "" }).keys()].length;
}

export const isFiltered = (query: FeedbackQuery): boolean => query.q !== "" || filterCount(query) > 0;
