import { signal, type Signal } from "@preact/signals";
import type { Inbox } from "../inbox/inbox";
import type { Walk } from "../inbox/walk";
import type { FeedbackQuery } from "../inbox/query";
import type { BulkChanges, Feedback } from "../session/types";
import { t } from "../text/en";
import type { Notices } from "../ui/notices";
import type { Workspace } from "../workspace";
import { before, forOne, isNothing, type Field } from "./changes";
import type { Outcome } from "./bulk";
import { maxSelected } from "./selection";
import { createUndo, type UndoSlot } from "./undo";

/** What is done to items, and to which: to those that are selected, otherwise to the one under the eyes. */
export interface Desk {
  /** The field that is being asked for. */
  picking: Signal<Field | null>;
  undo: UndoSlot;
  /** Raised while "select all" reads on. */
  gathering: Signal<boolean>;
  /** What of what is meant is known. */
  items(): readonly Feedback[];
  pick(field: Field): void;
  act(changes: BulkChanges): void;
  /** Marks what is meant as read, or not; without a wish, the other way round. */
  mark(read?: boolean): void;
  selectAll(query: FeedbackQuery): Promise<void>;
  eraseSelected(): Promise<void>;
}

export interface DeskDeps {
  inbox: Inbox;
  /** Reads on in the view, for "select all". */
  pages(query: FeedbackQuery, cursor: string | null): Promise<{ items: readonly Feedback[]; next_cursor: string | null }>;
  walk(): Walk;
  /** The open item, or else the one under the cursor. */
  at(): string | null;
  workspace: Pick<Workspace, "canTriage" | "canManage" | "memberName">;
  notices: Notices;
}

export function createDesk({ inbox, pages, walk, at, workspace, notices }: DeskDeps): Desk {
  const picking = signal<Field | null>(null);
  const gathering = signal(false);
  const undo = createUndo();
  const { selection } = inbox;

  const targets = (): readonly string[] => {
    const chosen = [...selection.ids.peek()];
    const one = at();
    return chosen.length > 0 ? chosen : one ? [one] : [];
  };

  function one(item: Feedback, asked: BulkChanges): void {
    const changes = forOne(item, asked);
    const back = before(item, changes);
    if (isNothing(back)) return;
    void walk().change(item, changes, describe(asked, workspace.memberName)).then((kept) => {
      if (!kept) return;
      undo.offer({
        text: sentence(describe(asked, workspace.memberName)),
        run: () => void inbox.change(inbox.known([item.id])[0] ?? item, back).then((done) => done && notices.show(t.triage.undone)),
      });
    });
  }

  /** Which gathering is under way: one that another view began ends that of the view before. */
  let gathered = 0;

  /** Says how it went, and offers the way back. */
  function report({ changed, refused, failed, undo: way }: Outcome, text: string): void {
    if (failed) notices.show(t.triage.failed, "bad");
    else if (refused > 0) notices.show(t.triage.refused(refused), "bad");
    if (way) undo.offer({ text: t.triage.changed(changed, text), run: () => void way().then(returned) });
  }

  function returned({ refused, failed }: Outcome): void {
    if (failed) notices.show(t.triage.notUndone, "bad");
    else notices.show(refused > 0 ? t.triage.partlyUndone(refused) : t.triage.undone, refused > 0 ? "bad" : "plain");
  }

  return {
    picking,
    gathering,
    undo,
    items: () => inbox.known(targets()),
    pick(field) {
      if (workspace.canTriage.peek() && targets().length > 0) picking.value = field;
    },
    act(changes) {
      if (!workspace.canTriage.peek()) return;
      const ids = targets();
      const single = inbox.known(ids)[0];
      if (selection.ids.peek().size === 0) return void (single && one(single, changes));
      void inbox.changeSeveral(ids, changes).then((outcome) => report(outcome, describe(changes, workspace.memberName)));
    },
    mark(read) {
      const ids = targets();
      if (selection.ids.peek().size === 0) return void (ids[0] && inbox.toggleUnread(ids[0]));
      const wanted = read ?? inbox.known(ids).some((item) => item.unread);
      // The way back is theirs alone: the others were so before.
      const changed = inbox.known(ids).filter((item) => item.unread === wanted).map(({ id }) => id);
      void inbox.markSeveral(ids, wanted).then((done) => {
        if (!done) return notices.show(t.triage.failed, "bad");
        const text = t.triage.changed(ids.length, wanted ? t.triage.did.read : t.triage.did.unread);
        undo.offer({ text, run: () => void inbox.markSeveral(changed, !wanted) });
      });
    },
    async selectAll(query) {
      const mine = ++gathered;
      gathering.value = true;
      try {
        selection.add(inbox.rows.peek().items.map(({ id }) => id));
        let { cursor } = inbox.rows.peek();
        while (cursor && gathering.peek() && selection.ids.peek().size < maxSelected) {
          const page = await pages(query, cursor);
          // Given up meanwhile, by Escape or by going to another view.
          if (!gathering.peek() || mine !== gathered) return;
          selection.add(page.items.map(({ id }) => id));
          cursor = page.next_cursor;
        }
        if (cursor) notices.show(t.triage.capped(maxSelected));
      } catch {
        notices.show(t.inbox.moreFailed, "bad");
      } finally {
        if (mine === gathered) gathering.value = false;
      }
    },
    async eraseSelected() {
      if (!workspace.canManage.peek()) return;
      let erased = 0;
      for (const id of [...selection.ids.peek()]) {
        // What failed is told, and stays selected.
        if (!(await inbox.erase(id))) break;
        selection.drop([id]);
        erased++;
      }
      if (erased > 0) notices.show(t.triage.erased(erased));
    },
  };
}

/** What a change does, in words that follow the number of items. */
export function describe(changes: BulkChanges, memberName: (id: string) => string): string {
  const { did } = t.triage;
  if (changes.status) return did.status(t.status[changes.status]);
  if (changes.assignee_id) return did.assigned(memberName(changes.assignee_id));
  if (changes.assignee_id === null) return did.unassigned;
  if (changes.priority) return did.priority(t.priority[changes.priority]);
  if (changes.add_tags?.[0]) return did.tagged(changes.add_tags[0]);
  return changes.remove_tags?.[0] ? did.untagged(changes.remove_tags[0]) : "";
}

/** Alone it begins a sentence. */
const sentence = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);
