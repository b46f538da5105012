import { useSignal } from "@preact/signals";
import { useDashboard } from "../context";
import { viewBody, type FeedbackQuery } from "../inbox/query";
import { isProblem } from "../session/session";
import type { View } from "../session/types";
import { t } from "../text/en";
import { Dialog } from "../ui/dialog";
import { Switch, TextField } from "../ui/field";
import { explain } from "../workspace";

interface ViewDialogProps {
  projectId: string;
  /** The view to change; without one, `query` becomes a new one. */
  view?: View;
  query?: FeedbackQuery;
  onClose(): void;
  onSaved?(id: string): void;
}

/** Name and audience of a view. What it lists is set in the list itself. */
export function ViewDialog({ projectId, view, query, onClose, onSaved }: ViewDialogProps) {
  const { views, workspace, notices } = useDashboard();
  const name = useSignal(view?.name ?? "");
  const shared = useSignal(view?.shared ?? false);
  const error = useSignal<string | undefined>(undefined);
  const busy = useSignal(false);
  const may = workspace.canTriage.value;

  async function run(work: () => Promise<void>): Promise<void> {
    if (busy.peek()) return;
    busy.value = true;
    try {
      await work();
      onClose();
    } catch (problem) {
      error.value = isProblem(problem, "invalid_field") ? (problem.fields[0]?.message ?? problem.message) : explain(problem);
    } finally {
      busy.value = false;
    }
  }
  const save = (): Promise<void> =>
    run(async () => {
      const body = { name: name.peek(), shared: shared.peek() };
      if (view) await views.update(view.id, body.shared === view.shared ? { name: body.name } : body);
      else onSaved?.((await views.create(projectId, { ...body, query: query ? viewBody(query) : {} })).id);
    });
  const remove = (): Promise<void> =>
    run(async () => {
      if (!view) return;
      await views.remove(view.id);
      notices.show(t.views.removed(view.name));
    });
  return (
    <Dialog title={view ? t.views.editTitle : t.views.saveTitle} onClose={onClose} testid="view-dialog">
      <form class="dialog-form" onSubmit={(event) => { event.preventDefault(); void save(); }}>
        <p class="dialog-text">{view ? t.views.editLead : t.views.saveLead}</p>
        <TextField label={t.views.name} value={name.value} error={error.value} onInput={(value) => (name.value = value)} input={{ name: "view-name", required: true, maxLength: 100, placeholder: t.views.namePlaceholder, dir: "auto" }} />
        {may && <Switch label={t.views.share} checked={shared.value} testid="view-share" onToggle={(on) => (shared.value = on)} />}
        <footer class="dialog-foot">
          {view && <button type="button" class="button danger view-remove" data-testid="view-remove" onClick={remove}>{t.views.remove}</button>}
          <button type="button" class="button" onClick={onClose}>{t.common.cancel}</button>
          <button type="submit" class="button primary" data-testid="view-submit" aria-disabled={busy.value}>{t.views.submit}</button>
        </footer>
      </form>
    </Dialog>
  );
}
