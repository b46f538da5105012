import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { useDashboard } from "../context";
import { Preview } from "../look/preview";
import { Problem } from "../session/problem";
import type { Project } from "../session/types";
import { t } from "../text/en";
import { settings as settingsText } from "../text/en-settings";
import { isolate } from "../text/isolate";
import { explain } from "../workspace";
import { changesOf, formOf, type SettingsForm } from "./settings-form";
import { AppearanceFields, LanguageFields, PrivacyFields, ProjectFields, QuestionFields, type Errors } from "./settings-fields";

/**
 * A copy of the project that is being edited, and the way to save what differs. One object for form and preview: what
 * is seen is always what would be saved.
 */
function useEditing(project: Project) {
  const { api, workspace, notices } = useDashboard();
  const form = useSignal<SettingsForm>(formOf(project));
  const errors = useSignal<Errors>([]);
  const failure = useSignal("");
  const busy = useSignal(false);
  // Computed anew with every key: the save bar must vanish when a change was undone by hand.
  const patch = changesOf(project, form.value);

  const save = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    // Enter in a field submits, too, also where there is nothing to save.
    if (busy.value || !patch) return;
    busy.value = true;
    errors.value = [];
    failure.value = "";
    const sent = form.value;
    try {
      const saved = await workspace.put(api.updateProject(project.id, patch));
      // The server's form of it: names are trimmed and addresses brought to one spelling there. Not where somebody has
      // typed on meanwhile.
      if (form.value === sent) form.value = formOf(saved);
      notices.show(settingsText.saved);
    } catch (cause) {
      // Complaints stand beside their fields; the bar then only says that there are some.
      errors.value = cause instanceof Problem ? cause.fields : [];
      failure.value = errors.value.length > 0 ? settingsText.invalid : `${settingsText.failed} ${explain(cause)}`;
    } finally {
      busy.value = false;
    }
  };
  /** Back to what is saved, with nothing left to complain about. */
  const discard = (): void => {
    form.value = formOf(project);
    errors.value = [];
    failure.value = "";
  };
  const change = (part: Partial<SettingsForm>): void => void (form.value = { ...form.value, ...part });
  return { fields: { form: form.value, change, errors: errors.value }, failure: failure.value, busy: busy.value, open: patch !== null, save, discard };
}

/** Nothing is saved by itself: visitors see these changes. */
export function SettingsPage({ project }: { project: Project }) {
  const { workspace } = useDashboard();
  const { fields, failure, busy, open, save, discard } = useEditing(project);
  // The server refuses what this person may not change; here it is shown before anything is typed.
  const readOnly = !workspace.canManage.value;
  useEffect(() => void (document.title = `${settingsText.title} · ${isolate(project.name)} · ${t.product}`), [project.name]);
  return (
    // Read-only, nothing inside takes the focus, and the page could not be scrolled by keyboard.
    <form class="page settings" onSubmit={save} data-testid="settings" aria-label={settingsText.title} tabIndex={readOnly ? 0 : undefined}>
      <header class="page-head">
        <div>
          <h1>{settingsText.title}</h1>
          <p class="lead">{readOnly ? settingsText.readOnly : settingsText.lead}</p>
        </div>
      </header>
      <div class="settings-columns">
        <fieldset class="plain" disabled={readOnly}>
          <ProjectFields {...fields} />
          <AppearanceFields {...fields} />
          <QuestionFields {...fields} />
          <LanguageFields {...fields} />
          <PrivacyFields {...fields} projectId={project.id} />
        </fieldset>
        {/* Drawn from what is typed and not from what is saved: that is what it is for. */}
        <div class="settings-preview"><Preview settings={fields.form.settings} /></div>
      </div>
      <SaveBar open={open} busy={busy} failure={failure} onDiscard={discard} />
    </form>
  );
}

interface SaveBarProps {
  open: boolean;
  busy: boolean;
  failure: string;
  onDiscard(): void;
}

/** Hidden and not absent, so that it can glide in, and inert meanwhile, so that Tab does not find it. */
function SaveBar({ open, busy, failure, onDiscard }: SaveBarProps) {
  return (
    <div class={open ? "save-bar open" : "save-bar"} data-testid="save-bar" inert={!open}>
      <p role="status">{failure ? <span class="bad-text">{failure}</span> : open ? settingsText.unsaved : ""}</p>
      <button type="button" class="button" onClick={onDiscard}>{settingsText.discard}</button>
      <button type="submit" class="button primary" aria-disabled={busy}>{t.common.save}</button>
    </div>
  );
}
