import type { Status } from "../session/types";
import { t } from "../text/en";
import { formatMoment } from "../text/format";
import { Dialog } from "../ui/dialog";
import { StatusIcon } from "../ui/icons";
import type { Conflict } from "./changing";
import type { Inbox } from "./inbox";

/** Both sides of a 409. Closing it keeps what the server has, which is also what the list already shows. */
export function ConflictDialog({ inbox, conflict }: { inbox: Inbox; conflict: Conflict }) {
  // Side by side and in the same form, so that the difference is seen and not searched for.
  const side = (label: string, status: Status, note?: string) => (
    <div class="side-by-side">
      <h3>{label}</h3>
      <p class="with-icon strong"><StatusIcon status={status} />{t.status[status]}</p>
      {note && <p class="faint">{note}</p>}
    </div>
  );
  // "Keep" comes first and takes the focus: it is the answer that destroys nothing.
  return (
    <Dialog title={t.conflict.title} onClose={() => inbox.settle("theirs")} testid="conflict">
      <p class="dialog-text">{t.conflict.lead}</p>
      <div class="sides">
        {side(t.conflict.mine, conflict.mine)}
        {side(t.conflict.theirs, conflict.theirs.status, `${t.conflict.at} ${formatMoment(conflict.theirs.updated_at)}`)}
      </div>
      <footer class="dialog-foot">
        <button type="button" class="button" data-testid="conflict-keep" onClick={() => inbox.settle("theirs")}>{t.conflict.keep}</button>
        <button type="button" class="button primary" data-testid="conflict-apply" onClick={() => inbox.settle("mine")}>{t.conflict.apply}</button>
      </footer>
    </Dialog>
  );
}
