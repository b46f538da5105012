import { useSignal } from "@preact/signals";
import { useDashboard } from "../context";
import type { Inbox } from "../inbox/inbox";
import type { FeedbackQuery } from "../inbox/query";
import { t } from "../text/en";
import { Dialog } from "../ui/dialog";
import { Icon, StatusIcon } from "../ui/icons";
import type { Desk } from "./desk";
import { PriorityIcon } from "./priority";

/** What can be done with all that is selected. It lies over the end of the list, so that no row moves when it comes. */
export function SelectionBar({ inbox, desk, query }: { inbox: Inbox; desk: Desk; query: FeedbackQuery }) {
  const { workspace } = useDashboard();
  const erasing = useSignal(false);
  const { ids, clear } = inbox.selection;
  const n = ids.value.size;
  const progress = inbox.progress.value;
  const may = workspace.canTriage.value;
  return (
    <div class="selection" role="region" aria-label={t.triage.selection} hidden={n === 0}>
      {n > 0 && (
        <>
          <div class="selection-head">
            <span aria-live="polite" class="strong" data-testid="selected">
              {progress ? t.triage.erasing(progress.done, progress.total) : t.triage.selected(n)}
            </span>
            {inbox.rows.value.cursor || n < inbox.rows.value.items.length ? (
              <button type="button" class="link" data-testid="select-all" aria-disabled={desk.gathering.value} onClick={() => desk.selectAll(query)}>
                {t.triage.selectAll}
              </button>
            ) : null}
            <button type="button" class="icon-button end" aria-label={t.triage.clear} onClick={clear}><Icon name="close" /></button>
          </div>
          <div class="selection-actions">
            {may && (
              <>
                <button type="button" class="button small" data-testid="bulk-resolve" onClick={() => desk.act({ status: "resolved" })}><StatusIcon status="resolved" />{t.inbox.resolve}</button>
                <button type="button" class="icon-button" title={t.triage.status} aria-label={t.triage.status} data-testid="bulk-status" onClick={() => desk.pick("status")}><StatusIcon status="in_progress" /></button>
                <button type="button" class="icon-button" title={t.triage.assign} aria-label={t.triage.assign} data-testid="bulk-assign" onClick={() => desk.pick("assignee_id")}><Icon name="user" /></button>
                <button type="button" class="icon-button" title={t.triage.tags} aria-label={t.triage.tags} data-testid="bulk-tags" onClick={() => desk.pick("tags")}><Icon name="tag" /></button>
                <button type="button" class="icon-button" title={t.triage.priority} aria-label={t.triage.priority} data-testid="bulk-priority" onClick={() => desk.pick("priority")}><PriorityIcon priority="high" /></button>
              </>
            )}
            <button type="button" class="icon-button" title={t.triage.markRead} aria-label={t.triage.markRead} data-testid="bulk-read" onClick={() => desk.mark(true)}><Icon name="read" /></button>
            <button type="button" class="icon-button" title={t.triage.markUnread} aria-label={t.triage.markUnread} data-testid="bulk-unread" onClick={() => desk.mark(false)}><Icon name="unread" /></button>
            {workspace.canManage.value && (
              <button type="button" class="icon-button" title={t.inbox.erase} aria-label={t.inbox.erase} data-testid="bulk-erase" onClick={() => (erasing.value = true)}><Icon name="trash" /></button>
            )}
          </div>
        </>
      )}
      {erasing.value && (
        <Dialog title={t.triage.erase(n)} onClose={() => (erasing.value = false)} testid="bulk-erase-dialog">
          <p class="dialog-text">{t.triage.eraseLead}</p>
          <footer class="dialog-foot">
            <button type="button" class="button" onClick={() => (erasing.value = false)}>{t.common.cancel}</button>
            <button type="button" class="button danger" data-testid="bulk-erase-confirm" onClick={() => { erasing.value = false; void desk.eraseSelected(); }}>{t.inbox.erase}</button>
          </footer>
        </Dialog>
      )}
    </div>
  );
}
