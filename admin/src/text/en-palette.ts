import { isolate } from "./isolate";

/** The command palette, and canned replies. */
export const palette = {
  title: "Commands",
  find: "Type a command, or words to search for",
  open: "Commands",
  search: (words: string) => `Search the inbox for “${isolate(words)}”`,
  project: (name: string) => `Go to ${isolate(name)}`,
  goInbox: "Go to the inbox",
  goInsights: "Go to insights",
  goJobs: "Go to import & export",
  goInstall: "Go to the installation",
  goVisitors: "Go to visitors: blocks, identity, erasure",
  goSettings: "Go to the settings",
  goProjects: "Go to all projects",
  goPreferences: "Go to the preferences",
  goTeam: "Go to the team",
  goKeys: "Go to the API keys",
  goAudit: "Go to the audit log",
  goAccount: "Go to your account",
  signOut: "Sign out",
  assignMe: "Assign to me",
} as const;

export const canned = {
  title: "Canned replies",
  open: "Canned replies",
  find: "Find a canned reply",
  none: "No canned reply yet. Write a reply, then keep it here under a name.",
  keep: (name: string) => `Keep what is written as “${isolate(name)}”`,
  kept: "Kept as a canned reply",
  failed: "The canned replies could not be loaded.",
  keepFailed: "It could not be kept.",
  manage: "Manage…",
  manageTitle: "Manage canned replies",
  name: "Name",
  body: "Text",
  hint: "{{visitor.name|there}}, {{visitor.email}}, {{page}} and {{member.name}} are filled in. After the bar stands what is said where nothing is known.",
  edit: "Edit",
  remove: "Delete",
  removed: "Canned reply deleted",
  back: "Back",
} as const;
