import type { Sort } from "../inbox/query";
import { counted, formatCount } from "./format";
import { isolate } from "./isolate";

const order: Record<Sort, string> = {
  "-created_at": "Newest first",
  created_at: "Oldest first",
  "-updated_at": "Changed last",
  updated_at: "Not changed for longest",
  "-priority": "Most urgent first",
  priority: "Least urgent first",
  "-rating": "Best rating first",
  rating: "Worst rating first",
  relevance: "Best match first",
};

/** Narrowing the list down. */
export const filters = {
  open: "Filter",
  active: (n: number) => counted(n, "filter is on", "filters are on"),
  title: "Filters",
  list: "Filters that are on",
  clear: "Clear",
  remove: (what: string) => `Remove the filter ${isolate(what)}`,
  sort: "Order",
  order,
  status: "Status",
  kind: "Kind",
  priority: "Priority",
  rating: "Rating",
  stars: (n: number) => counted(n, "star", "stars"),
  assignee: "Assigned to",
  anyone: "Anybody",
  me: "Me",
  nobody: "Nobody",
  tag: "Tag",
  anyTag: "Any tag",
  page: "Page",
  pagePlaceholder: "https://…",
  from: "From",
  to: "Until",
  unread: "Unread only",
  unreadChip: "Unread",
  days: (from: string, to: string) => (from && to ? `${from} – ${to}` : from ? `Since ${from}` : `Until ${to}`),
};

/** Filters that are kept under a name. */
export const views = {
  label: "Views",
  builtIn: {
    inbox: "Inbox",
    mine: "Mine",
    unassigned: "Unassigned",
    unread: "Unread",
    resolved: "Resolved",
    all: "All feedback",
    quarantine: "Quarantine",
  },
  shared: "shared",
  count: (n: number, atLeast: boolean) => `${formatCount(n)}${atLeast ? "+" : ""}`,
  countLabel: (n: number, atLeast: boolean) => `${atLeast ? "more than " : ""}${counted(n, "item", "items")}`,
  save: "Save as a view",
  saveTitle: "Save as a view",
  saveLead: "Keeps these filters and this order under a name, in the sidebar.",
  update: "Save changes to the view",
  updated: (name: string) => `“${isolate(name)}” now shows what you see.`,
  name: "Name",
  namePlaceholder: "Checkout bugs",
  share: "Share with everybody in the organisation",
  submit: "Save",
  edit: (name: string) => `Edit the view “${isolate(name)}”`,
  editTitle: "Edit the view",
  editLead: "What it lists is changed in the list: set the filters there, then “Save changes to the view”.",
  remove: "Delete the view",
  removed: (name: string) => `“${isolate(name)}” was deleted.`,
  failed: "The view could not be saved.",
};
