import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { useDashboard } from "../context";
import { Preview } from "../look/preview";
import { Problem } from "../session/problem";
import type { Project } from "../session/types";
import { t } from "../text/en";
import { explain } from "../workspace";
import { changesOf, formOf, type SettingsForm } from "./settings-form";
import { AppearanceFields, LanguageFields, PrivacyFields, ProjectFields, QuestionFields, type Errors } from "./settings-fields";

/** Edits a copy of the project and sends what differs. Nothing is saved by itself: visitors see these changes. */
export function SettingsPage({ project }: { project: Project }) {
  const { api, workspace, notices } = useDashboard();
  const form = useSignal<SettingsForm>(formOf(project));
  const errors = useSignal<Errors>([]);
  const failure = useSignal("");
  const busy = useSignal(false);
  const readOnly = !workspace.canManage.value;
  // Computed anew with every key: the save bar must vanish when a change was undone by hand.
  const patch = changesOf(project, form.value);
  useEffect(() => void (document.title = `${t.settings.title} · ${project.name} · ${t.product}`), [project.name]);

  const save = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    if (busy.value || !patch) return;
    busy.value = true;
    errors.value = [];
    failure.value = "";
    try {
      const saved = await api.updateProject(project.id, patch);
      workspace.put(saved);
      form.value = formOf(saved);
      notices.show(t.settings.saved);
    } catch (cause) {
      errors.value = cause instanceof Problem ? cause.fields : [];
      failure.value = errors.value.length > 0 ? t.settings.invalid : `${t.settings.failed} ${explain(cause)}`;
    } finally {
      busy.value = false;
    }
  };

  const change = (part: Partial<SettingsForm>): void => void (form.value = { ...form.value, ...part });
  const fields = { form: form.value, change, errors: errors.value };
  return (
    // Read-only, nothing inside takes the focus, and the page could not be scrolled by keyboard.
    <form class="page settings" onSubmit={save} data-testid="settings" aria-label={t.settings.title} tabIndex={readOnly ? 0 : undefined}>
      <header class="page-head">
        <div>
          <h1>{t.settings.title}</h1>
          <p class="lead">{readOnly ? t.settings.readOnly : t.settings.lead}</p>
        </div>
      </header>
      <div class="settings-columns">
        <fieldset class="plain" disabled={readOnly}>
          <ProjectFields {...fields} />
          <AppearanceFields {...fields} />
          <QuestionFields {...fields} />
          <LanguageFields {...fields} />
          <PrivacyFields {...fields} />
        </fieldset>
        <div class="settings-preview"><Preview settings={form.value.settings} /></div>
      </div>
      <div class={patch ? "save-bar open" : "save-bar"} data-testid="save-bar" inert={!patch}>
        <p role="status">{failure.value ? <span class="bad-text">{failure.value}</span> : patch ? t.settings.unsaved : ""}</p>
        <button type="button" class="button" onClick={() => { form.value = formOf(project); errors.value = []; failure.value = ""; }}>{t.settings.discard}</button>
        <button type="submit" class="button primary" aria-disabled={busy.value}>{t.common.save}</button>
      </div>
    </form>
  );
}
