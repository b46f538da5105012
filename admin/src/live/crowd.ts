import { batch, signal } from "@preact/signals";
import { liveDrafts, withDraft, withoutDraft, type Draft } from "../inbox/drafts";
import type { EventData } from "./events";
import { withDiff, type Member, type PagePresence } from "./presence";

/** How often abandoned drafts are looked for: late enough to cost nothing, early against their lifetime. */
const sweepMs = 5_000;

export type Crowd = ReturnType<typeof createCrowd>;

/** Who is on the site, who answers and who writes. Never stored, and worthless without a connection: all may have left. */
export function createCrowd(now: () => number) {
  const visitors = signal<number | null>(null);
  const members = signal<readonly Member[]>([]);
  const drafts = signal<readonly Draft[]>([]);
  const pages = signal<readonly PagePresence[]>([]);
  const sweep = setInterval(() => (drafts.value = liveDrafts(drafts.peek(), now())), sweepMs);
  return {
    visitors,
    members,
    drafts,
    pages,
    present: (data: EventData<"PresenceState">): void =>
      batch(() => {
        visitors.value = data.visitors;
        members.value = data.members ?? [];
        pages.value = data.pages ?? [];
      }),
    changed(data: EventData<"PresenceDiff">): void {
      // A difference to what nobody has told yet; the whole is on its way.
      if (visitors.peek() === null) return;
      batch(() => {
        visitors.value = data.visitors;
        members.value = withDiff(members.peek(), data);
        pages.value = data.pages ?? [];
      });
    },
    drafted: (data: Parameters<typeof withDraft>[1]): void => void (drafts.value = withDraft(drafts.peek(), data, now())),
    /** What was sent is a draft no more, even where the visitor's own word for it is still on its way. */
    sent: (sessionId: string): void => void (drafts.value = withoutDraft(drafts.peek(), sessionId)),
    forget: (): void =>
      batch(() => {
        visitors.value = null;
        members.value = [];
        pages.value = [];
        drafts.value = [];
      }),
    close: (): void => clearInterval(sweep),
  };
}
