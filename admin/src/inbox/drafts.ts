/** What one visitor is writing right now, from a project that shows drafts. Never stored. */
export interface Draft {
  sessionId: string;
  text: string;
  pageUrl: string;
  at: number;
}

/** A draft that was not touched for this long is taken for abandoned: the visitor left without telling. */
export const draftLifetimeMs = 90_000;

/** Takes in one `DraftChanged`. Without text (not shared, or emptied) nothing is shown. Order is that of first sight. */
export function withDraft(
  drafts: readonly Draft[],
  event: { session_id: string; text?: string | null; page_url?: string | null },
  now: number,
): readonly Draft[] {
  const text = event.text?.trim() ?? "";
  if (!text) return withoutDraft(drafts, event.session_id);
  const draft: Draft = { sessionId: event.session_id, text, pageUrl: event.page_url ?? "", at: now };
  // In its place, not on top: a card must not jump with every letter that is typed.
  const at = drafts.findIndex((other) => other.sessionId === event.session_id);
  return at < 0 ? [...drafts, draft] : drafts.with(at, draft);
}

export function withoutDraft(drafts: readonly Draft[], sessionId: string): readonly Draft[] {
  const next = drafts.filter((draft) => draft.sessionId !== sessionId);
  return next.length === drafts.length ? drafts : next;
}

export function liveDrafts(drafts: readonly Draft[], now: number): readonly Draft[] {
  const next = drafts.filter((draft) => now - draft.at < draftLifetimeMs);
  return next.length === drafts.length ? drafts : next;
}
