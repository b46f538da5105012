import { signal, type ReadonlySignal } from "@preact/signals";
import { everything, filterCount, type FeedbackQuery } from "../inbox/query";
import type { Api } from "../session/api";
import type { BuiltInView, NewView, View, ViewList, ViewPatch } from "../session/types";

/** The views of the project that is open, and how many items each has. */
export interface Views {
  /** Null until they are read. */
  list: ReadonlySignal<ViewList | null>;
  /** Another project's from here on, or none. */
  show(projectId: string | null): void;
  /** Something may have changed: they are counted anew, soon where somebody looks and later in a hidden window. */
  stale(): void;
  create(projectId: string, view: NewView): Promise<View>;
  update(id: string, patch: ViewPatch): Promise<View>;
  remove(id: string): Promise<void>;
}

export interface ViewsDeps {
  api: Pick<Api, "views" | "createView" | "updateView" | "deleteView">;
  hidden(): boolean;
  later(work: () => void, ms: number): void;
  now(): number;
}

/** Counting is for the eye: under a flood of changes once in this time is enough. */
const pauseMs = 2000;
/** A hidden window still shows the unread in its title, for which this is soon enough. */
const hiddenPauseMs = 15_000;

/** The views that every project has, in the order of their use. Their numbers are the server's. */
export const builtIn: readonly { name: BuiltInView["name"]; query: FeedbackQuery }[] = [
  { name: "inbox", query: { ...everything, status: ["new", "open", "in_progress"] } },
  { name: "mine", query: { ...everything, status: ["new", "open", "in_progress"], assignee: "me" } },
  { name: "unassigned", query: { ...everything, status: ["new", "open", "in_progress"], assignee: "none" } },
  { name: "unread", query: { ...everything, unread: true } },
  { name: "resolved", query: { ...everything, status: ["resolved", "closed"] } },
  { name: "all", query: everything },
  { name: "quarantine", query: { ...everything, quarantined: true } },
];

/**
 * The view that a list began as: of those that it searches, sorts or narrows down, the one that narrows down most
 * itself.
 */
export function builtInOf(query: FeedbackQuery): BuiltInView["name"] {
  const found = builtIn.filter((view) => within(query, view.query)).sort((a, b) => filterCount(b.query) - filterCount(a.query));
  return found[0]?.name ?? (query.quarantined ? "quarantine" : "all");
}

/** Whether all that `query` lists is listed by `view`, too. */
function within(query: FeedbackQuery, view: FeedbackQuery): boolean {
  if (query.quarantined !== view.quarantined) return false;
  const statuses = view.status.length === 0 || (query.status.length > 0 && query.status.every((status) => view.status.includes(status)));
  return statuses && (!view.assignee || view.assignee === query.assignee) && (!view.unread || query.unread);
}

export function createViews({ api, hidden, later, now }: ViewsDeps): Views {
  const list = signal<ViewList | null>(null);
  let project: string | null = null;
  /** When the next count is due; 0 while none is. */
  let planned = 0;
  let last = 0;

  /** A failed read leaves what was there: the next change asks again. */
  async function read(): Promise<void> {
    planned = 0;
    if (!project) return;
    last = now();
    const asked = project;
    const found = await api.views(asked).catch(() => null);
    if (found && asked === project) list.value = found;
  }

  /** Where a later one is planned and somebody looks again, the earlier one makes it needless. */
  function stale(): void {
    const due = Math.max(now(), last + (hidden() ? hiddenPauseMs : pauseMs));
    if (planned && planned <= due) return;
    planned = due;
    later(() => planned === due && void read(), due - now());
  }

  /** What was changed by hand is seen at once. */
  async function then<T>(work: Promise<T>): Promise<T> {
    const done = await work;
    await read();
    return done;
  }

  return {
    list,
    show(projectId) {
      if (projectId === project) return;
      project = projectId;
      list.value = null;
      void read();
    },
    stale,
    create: (projectId, view) => then(api.createView(projectId, view)),
    update: (id, patch) => then(api.updateView(id, patch)),
    remove: (id) => then(api.deleteView(id)),
  };
}
