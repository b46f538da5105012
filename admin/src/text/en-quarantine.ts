/** What is said of items that were held back. */
export const quarantine = {
  release: "Move to the inbox",
  block: "Block this sender…",
  blockTitle: "Block this sender?",
  blockLead: "What they send from now on is kept, but held in quarantine with this as the reason. Nothing is lost, and they are not told.",
  kind: "By",
  kinds: { session: "Their browser", address: "Their network address" },
  span: "For how long",
  spans: { day: "A day", week: "A week", always: "Until lifted" },
  confirm: "Block",
  blocked: "The sender is blocked",
  failed: "The sender could not be blocked.",
  inInbox: "In the inbox",
  held: "Held in quarantine",
} as const;
