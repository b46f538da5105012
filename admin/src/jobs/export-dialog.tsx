import { useSignal } from "@preact/signals";
import { useDashboard } from "../context";
import type { Job, NewExport } from "../session/types";
import { t } from "../text/en";
import { jobs as words } from "../text/en-jobs";
import { Dialog } from "../ui/dialog";
import { Choice } from "../ui/field";
import { explain } from "../workspace";

interface ExportDialogProps {
  projectId: string;
  /** The filters of the view that somebody came from; null where they came from none. */
  filter: Readonly<Record<string, unknown>> | null;
  onClose(): void;
  onStarted(job: Job): void;
}

export function ExportDialog({ projectId, filter, onClose, onStarted }: ExportDialogProps) {
  const { api } = useDashboard();
  const format = useSignal<NewExport["format"]>("csv");
  const which = useSignal<"everything" | "view">(filter ? "view" : "everything");
  const busy = useSignal(false);
  const failed = useSignal("");
  const start = async (event: Event): Promise<void> => {
    event.preventDefault();
    if (busy.value) return;
    busy.value = true;
    try {
      // `filter` is an object of the list's own names; the contract leaves it open, for it grows with the list.
      const body = { format: format.value, ...(which.value === "view" && filter ? { filter } : {}) } as NewExport;
      onStarted(await api.createExport(projectId, body));
      onClose();
    } catch (error) {
      failed.value = explain(error);
      busy.value = false;
    }
  };
  return (
    <Dialog title={words.export} onClose={onClose} testid="export-dialog">
      <form class="dialog-form" onSubmit={start}>
        <Choice legend={words.format} name="format" value={format.value} options={words.formats} onPick={(next) => (format.value = next)} />
        {filter && <Choice legend={words.which} name="which" value={which.value} options={{ view: words.view, everything: words.everything }} onPick={(next) => (which.value = next)} />}
        <p class="hint">{words.exportHint}</p>
        {failed.value && <p class="banner bad" role="alert">{failed.value}</p>}
        <footer class="dialog-foot">
          <button type="button" class="button" onClick={onClose}>{t.common.cancel}</button>
          <button class="button primary" data-testid="start-export" aria-disabled={busy.value}>{words.start}</button>
        </footer>
      </form>
    </Dialog>
  );
}
