import { useSignal } from "@preact/signals";
import { useDashboard } from "../context";
import type { Feedback } from "../session/types";
import { t } from "../text/en";
import { quarantine as text } from "../text/en-quarantine";
import { Choice } from "../ui/field";
import { Dialog } from "../ui/dialog";
import { explain } from "../workspace";
import type { Inbox } from "./inbox";

/** Why an item is held back, in the server's own sentences, and what may be done about it. */
export function Quarantined({ inbox, item }: { inbox: Inbox; item: Feedback }) {
  const { workspace } = useDashboard();
  const blocking = useSignal(false);
  return (
    <div class="banner warn" data-testid="quarantined">
      <p class="strong">{t.inbox.quarantined}</p>
      {item.quarantine_reasons.length > 0 && <p>{t.inbox.reasons} {item.quarantine_reasons.join(" ")}</p>}
      {workspace.canTriage.value && (
        <p class="banner-actions">
          <button type="button" class="button small" data-testid="release" onClick={() => void inbox.change(item, { quarantined: false })}>{text.release}</button>
          {workspace.canManage.value && <button type="button" class="button small" data-testid="block" onClick={() => (blocking.value = true)}>{text.block}</button>}
        </p>
      )}
      {blocking.value && <BlockDialog item={item} onClose={() => (blocking.value = false)} />}
    </div>
  );
}

const days = { day: 1, week: 7, always: 0 } as const;

function BlockDialog({ item, onClose }: { item: Feedback; onClose(): void }) {
  const { api, notices } = useDashboard();
  const kind = useSignal<"session" | "address">("session");
  const span = useSignal<keyof typeof days>("week");
  const failure = useSignal("");
  const busy = useSignal(false);
  async function block(): Promise<void> {
    if (busy.value) return;
    busy.value = true;
    const count = days[span.value];
    try {
      await api.createBlock(item.project_id, {
        kind: kind.value,
        feedback_id: item.id,
        ...(count > 0 && { expires_at: new Date(Date.now() + count * 86_400_000).toISOString() }),
      });
      notices.show(text.blocked);
      onClose();
    } catch (cause) {
      failure.value = `${text.failed} ${explain(cause)}`;
      busy.value = false;
    }
  }
  return (
    <Dialog title={text.blockTitle} onClose={onClose} testid="block-dialog">
      <p class="dialog-text">{text.blockLead}</p>
      <div class="dialog-fields">
        <Choice legend={text.kind} name="block-kind" value={kind.value} options={text.kinds} onPick={(value) => (kind.value = value)} />
        <Choice legend={text.span} name="block-span" value={span.value} options={text.spans} onPick={(value) => (span.value = value)} />
        {failure.value && <p class="field-error" role="alert">{failure.value}</p>}
      </div>
      <footer class="dialog-foot">
        <button type="button" class="button" onClick={onClose}>{t.common.cancel}</button>
        <button type="button" class="button danger" data-testid="block-confirm" aria-disabled={busy.value} onClick={() => void block()}>{text.confirm}</button>
      </footer>
    </Dialog>
  );
}
