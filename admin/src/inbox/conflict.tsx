import { useDashboard } from "../context";
import type { Feedback } from "../session/types";
import { t } from "../text/en";
import { quarantine as text } from "../text/en-quarantine";
import { formatMoment } from "../text/format";
import type { AnyField, Changes } from "../triage/changes";
import { PriorityIcon } from "../triage/priority";
import { Dialog } from "../ui/dialog";
import { StatusIcon } from "../ui/icons";
import type { Conflict } from "./changing";
import type { Inbox } from "./inbox";

/** Both sides of a 409. Closing it keeps what the server has, which is also what the list already shows. */
export function ConflictDialog({ inbox, conflict: { mine, theirs } }: { inbox: Inbox; conflict: Conflict }) {
  const fields = Object.keys(mine) as AnyField[];
  // Side by side and in the same form, so that the difference is seen and not searched for.
  const side = (label: string, of: Changes, note?: string) => (
    <div class="side-by-side">
      <h3>{label}</h3>
      {fields.map((field) => <p key={field} class="with-icon strong"><Value field={field} of={of} /></p>)}
      {note && <p class="faint">{note}</p>}
    </div>
  );
  // "Keep" comes first and takes the focus: it is the answer that destroys nothing.
  return (
    <Dialog title={t.conflict.title} onClose={() => inbox.settle("theirs")} testid="conflict">
      <p class="dialog-text">{t.conflict.lead}</p>
      <div class="sides">
        {side(t.conflict.mine, mine)}
        {side(t.conflict.theirs, theirs, `${t.conflict.at} ${formatMoment(theirs.updated_at)}`)}
      </div>
      <footer class="dialog-foot">
        <button type="button" class="button" data-testid="conflict-keep" onClick={() => inbox.settle("theirs")}>{t.conflict.keep}</button>
        <button type="button" class="button primary" data-testid="conflict-apply" onClick={() => inbox.settle("mine")}>{t.conflict.apply}</button>
      </footer>
    </Dialog>
  );
}

function Value({ field, of }: { field: AnyField; of: Changes | Feedback }) {
  const { workspace } = useDashboard();
  switch (field) {
    case "status":
      return of.status ? <><StatusIcon status={of.status} />{t.status[of.status]}</> : null;
    case "priority":
      return of.priority ? <><PriorityIcon priority={of.priority} />{t.priority[of.priority]}</> : null;
    case "assignee_id":
      return <bdi>{of.assignee_id ? workspace.memberName(of.assignee_id) : t.triage.nobody}</bdi>;
    case "quarantined":
      return <>{of.quarantined ? text.held : text.inInbox}</>;
    case "tags":
      return of.tags?.length ? <span class="tags">{of.tags.map((tag) => <bdi key={tag} class="tag">{tag}</bdi>)}</span> : <>{t.triage.noTags}</>;
  }
}
