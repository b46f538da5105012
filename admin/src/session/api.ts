import { apiSearch, type FeedbackQuery } from "../inbox/query";
import type { LogCalls } from "../live/detour";
import type { Changes } from "../triage/changes";
import type { Session } from "./session";
import type { Block, BulkItem, BulkResult, CannedPage, CannedReply, ErasureReport, Feedback, FeedbackPage, Insights, Job, JobPage, Me, Member, MemberPage, Message, MessagePage, NewBlock, NewExport, NewMessage, NewProject, NewView, Project, ProjectPage, ProjectPatch, SetupState, Ticket, View, ViewList, ViewPatch } from "./types";

/** The staff calls that the dashboard makes, typed by the generated contract. */
export interface Api extends LogCalls {
  setupNeeded(): Promise<boolean>;
  me(): Promise<Me>;
  projects(): Promise<Project[]>;
  project(id: string): Promise<Project>;
  createProject(body: NewProject): Promise<Project>;
  updateProject(id: string, patch: ProjectPatch): Promise<Project>;
  listFeedback(projectId: string, query: FeedbackQuery, cursor: string | null, abort?: AbortSignal): Promise<FeedbackPage>;
  /** Whether anything that is not suspected has ever arrived. */
  hasFeedback(projectId: string): Promise<boolean>;
  feedback(id: string, abort?: AbortSignal): Promise<Feedback>;
  /** `rev` is the one on screen; a 409 `conflict` brings the present item. */
  change(id: string, changes: Changes, rev: number): Promise<Feedback>;
  /** Up to 200 items, each for itself; a result says how it went and what the way back is. */
  changeSeveral(projectId: string, items: readonly BulkItem[]): Promise<BulkResult[]>;
  markSeveral(projectId: string, ids: readonly string[], read: boolean): Promise<void>;
  /** The newest of the organisation. */
  jobs(): Promise<Job[]>;
  cancelJob(id: string): Promise<Job>;
  createExport(projectId: string, body: NewExport): Promise<Job>;
  /** `form` has the file, its format, and what else the contract names. */
  createImport(projectId: string, form: FormData): Promise<Job>;
  /** Of the days from one to another, by the clocks of a zone. */
  insights(projectId: string, range: { from: string; to: string }, zone: string, abort: AbortSignal): Promise<Insights>;
  cannedReplies(projectId: string): Promise<CannedReply[]>;
  createCannedReply(projectId: string, reply: Pick<CannedReply, "name" | "body">): Promise<CannedReply>;
  updateCannedReply(id: string, reply: Pick<CannedReply, "name" | "body" | "rev">): Promise<CannedReply>;
  deleteCannedReply(id: string): Promise<void>;
  members(): Promise<Member[]>;
  /** One's own views and the shared ones, with how many items each has. */
  views(projectId: string, abort?: AbortSignal): Promise<ViewList>;
  createView(projectId: string, body: NewView): Promise<View>;
  updateView(id: string, patch: ViewPatch): Promise<View>;
  deleteView(id: string): Promise<void>;
  tags(projectId: string): Promise<string[]>;
  erase(id: string): Promise<void>;
  createBlock(projectId: string, body: NewBlock): Promise<Block>;
  /** What a retention of so many days would erase right away. */
  retention(projectId: string, days: number, abort: AbortSignal): Promise<ErasureReport>;
  /** Notes that this person has read an item up to now, or that they have not. */
  markRead(id: string, read: boolean): Promise<void>;
  /** An item's messages and notes, the newest page first and each newest first. */
  messages(feedbackId: string, cursor: string | null, abort?: AbortSignal): Promise<MessagePage>;
  /** With its id, so that a repeat is the same message. */
  postMessage(feedbackId: string, body: NewMessage): Promise<Message>;
  /** `rev` is the one on screen; a newer one is a 409 `conflict`. */
  editNote(feedbackId: string, id: string, body: string, rev: number): Promise<Message>;
  deleteNote(feedbackId: string, id: string, rev: number): Promise<void>;
  /** Single use, 30 seconds: asked for anew before each connection. */
  ticket(): Promise<Ticket>;
}

/** Rows a page: enough to fill a tall screen twice, small enough to arrive at once on a slow line. */
export const pageSize = 50;

export function createApi({ request, stream }: Pick<Session, "request" | "stream">): Api {
  return {
    setupNeeded: async () => (await request<SetupState>("GET", "/setup")).needed,
    me: () => request("GET", "/me"),
    // All of them: the picker and the front page show every one, and an organisation has dozens at most.
    projects: () => all<Project>((cursor) => request<ProjectPage>("GET", `/projects?limit=200${cursor}`)),
    project: (id) => request("GET", `/projects/${id}`),
    createProject: (body) => request("POST", "/projects", body),
    updateProject: (id, patch) => request("PATCH", `/projects/${id}`, patch),
    listFeedback(projectId, query, cursor, abort) {
      const search = apiSearch(query);
      search.set("limit", String(pageSize));
      // Counting is asked for once a view: it is the costly part, and the number is kept current from then on.
      if (cursor) search.set("cursor", cursor);
      else search.set("count", "true");
      return request("GET", `/projects/${projectId}/feedback?${search}`, undefined, abort);
    },
    async hasFeedback(projectId) {
      const page = await request<FeedbackPage>("GET", `/projects/${projectId}/feedback?limit=1`);
      return page.items.length > 0;
    },
    feedback: (id, abort) => request("GET", `/feedback/${id}`, undefined, abort),
    change: (id, changes, rev) => request("PATCH", `/feedback/${id}`, { ...changes, rev }),
    changeSeveral: async (id, items) => (await request<{ items: BulkResult[] }>("POST", `/projects/${id}/feedback/bulk`, { items })).items,
    markSeveral: (id, ids, read) => request("POST", `/projects/${id}/feedback/read`, { ids, read }),
    jobs: async () => (await request<JobPage>("GET", "/jobs?limit=100")).items,
    cancelJob: (id) => request("POST", `/jobs/${id}/cancel`, {}),
    createExport: (id, body) => request("POST", `/projects/${id}/exports`, body),
    createImport: (id, form) => request("POST", `/projects/${id}/imports`, form),
    insights: (id, range, zone, abort) => request("GET", `/projects/${id}/insights?${new URLSearchParams({ ...range, tz: zone })}`, undefined, abort),
    cannedReplies: (id) => all<CannedReply>((cursor) => request<CannedPage>("GET", `/projects/${id}/canned-replies?limit=200${cursor}`)),
    createCannedReply: (id, reply) => request("POST", `/projects/${id}/canned-replies`, reply),
    updateCannedReply: (id, reply) => request("PATCH", `/canned-replies/${id}`, reply),
    deleteCannedReply: (id) => request("DELETE", `/canned-replies/${id}`),
    members: () => all<Member>((cursor) => request<MemberPage>("GET", `/members?limit=200${cursor}`)),
    tags: async (id) => (await request<{ items: string[] }>("GET", `/projects/${id}/tags`)).items,
    views: (projectId, abort) => request("GET", `/projects/${projectId}/views?count=true`, undefined, abort),
    createView: (projectId, body) => request("POST", `/projects/${projectId}/views`, body),
    updateView: (id, patch) => request("PATCH", `/views/${id}`, patch),
    deleteView: (id) => request("DELETE", `/views/${id}`),
    createBlock: (id, body) => request("POST", `/projects/${id}/blocks`, body),
    retention: (id, days, abort) => request("GET", `/projects/${id}/retention?days=${days}`, undefined, abort),
    erase: (id) => request("DELETE", `/feedback/${id}`),
    markRead: (id, read) => request(read ? "PUT" : "DELETE", `/feedback/${id}/read`),
    messages(feedbackId, cursor, abort) {
      const search = new URLSearchParams({ sort: "-created_at", limit: String(pageSize) });
      if (cursor) search.set("cursor", cursor);
      return request("GET", `/feedback/${feedbackId}/messages?${search}`, undefined, abort);
    },
    postMessage: (feedbackId, body) => request("POST", `/feedback/${feedbackId}/messages`, body),
    editNote: (feedbackId, id, body, rev) => request("PATCH", `/feedback/${feedbackId}/messages/${id}`, { body, rev }),
    deleteNote: (feedbackId, id, rev) => request("DELETE", `/feedback/${feedbackId}/messages/${id}?rev=${rev}`),
    ticket: () => request("POST", "/socket/tickets", {}),
    streamEvents: (id, lastEventId, abort) =>
      stream(`/projects/${id}/events`, { Accept: "text/event-stream", "Last-Event-ID": lastEventId }, abort),
    // As a stream: it may wait for longer than an answer may be late, and the feed has bounds of its own.
    async pollEvents(id, at, wait, abort) {
      // An epoch that there never is gets no events, only where the log ends.
      const search: Record<string, string> = at ? { epoch: at.epoch, since: String(at.seq), wait: String(wait) } : { epoch: "none" };
      return (await stream(`/projects/${id}/events?${new URLSearchParams(search)}`, {}, abort)).json();
    },
  };
}

/** Every page of a short list. */
async function all<T>(read: (cursor: string) => Promise<{ items: T[]; next_cursor: string | null }>): Promise<T[]> {
  const items: T[] = [];
  let cursor: string | null = null;
  do {
    const page: { items: T[]; next_cursor: string | null } = await read(cursor ? `&cursor=${encodeURIComponent(cursor)}` : "");
    items.push(...page.items);
    cursor = page.next_cursor;
  } while (cursor);
  return items;
}
