import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { useDashboard } from "../context";
import { inboxHref, navigate } from "../router";
import { Problem } from "../session/problem";
import type { Project } from "../session/types";
import { t } from "../text/en";
import { isolate } from "../text/isolate";
import { Dialog } from "../ui/dialog";
import { Field, TextField } from "../ui/field";
import { Icon } from "../ui/icons";
import { Empty } from "../ui/notices";
import { explain } from "../workspace";
import { readOrigins, originErrors } from "./origins";

/** The front page: every project of the organisation, and the way to the first one. */
export function ProjectsPage() {
  const { workspace } = useDashboard();
  const creating = useSignal(false);
  const projects = workspace.projects.value ?? [];
  useEffect(() => void (document.title = `${t.projects.title} · ${t.product}`), []);
  // Agents and viewers see the projects they have; to offer them a button that is refused would be a trap.
  const create = workspace.canManage.value && (
    <button type="button" class="button primary" data-testid="new-project" onClick={() => (creating.value = true)}>
      <Icon name="plus" />
      {t.projects.create}
    </button>
  );
  return (
    <div class="page">
      {projects.length === 0 ? (
        <Empty alone icon="projects" title={t.projects.empty} lead={t.projects.emptyLead} testid="projects-none">{create}</Empty>
      ) : (
        <>
          <header class="page-head">
            <h1>{t.projects.title}</h1>
            {create}
          </header>
          <ul class="cards">
            {projects.map((project) => <ProjectCard key={project.id} project={project} />)}
          </ul>
        </>
      )}
      {creating.value && <CreateDialog onClose={() => (creating.value = false)} />}
    </div>
  );
}

/** One link covers the card; the small ones lie above it, so that no link is nested in another. */
function ProjectCard({ project }: { project: Project }) {
  const origins = project.allowed_origins;
  return (
    <li class="project" data-testid="project">
      <a class="project-link" href={inboxHref(project.id, null)}>
        <span class="project-mark" aria-hidden="true" style={{ "--swatch": project.settings.accent }} />
        <bdi class="cut strong">{project.name}</bdi>
      </a>
      {/* Addresses read from left to right in every language. */}
      <p class="cut faint" dir="ltr">{origins.length === 0 ? t.projects.anyOrigin : origins.map((origin) => origin.replace(/^https:\/\//, "")).join(", ")}</p>
      <p class="project-foot">
        <a href={`/projects/${project.id}/install`} aria-label={`${t.nav.install}: ${isolate(project.name)}`} title={t.nav.install} class="icon-button"><Icon name="install" /></a>
        <a href={`/projects/${project.id}/settings`} aria-label={`${t.nav.settings}: ${isolate(project.name)}`} title={t.nav.settings} class="icon-button"><Icon name="settings" /></a>
      </p>
    </li>
  );
}

/** Creates a project and leads on to its installation, which is why somebody creates one. */
function CreateDialog({ onClose }: { onClose(): void }) {
  const { api, workspace } = useDashboard();
  // What was typed goes with the dialog: a half-made project is not worth a question on closing.
  const name = useSignal("");
  const origins = useSignal("");
  const errors = useSignal<{ name?: string | undefined; origins?: string | undefined; all?: string }>({});
  const busy = useSignal(false);
  const closed = useRef(false);
  useEffect(() => () => void (closed.current = true), []);

  const submit = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    // A second Enter while the first is under way would create the project twice.
    if (busy.value) return;
    busy.value = true;
    errors.value = {};
    try {
      // Known before the page of it is shown, which else would say that there is no such project.
      const project = await workspace.put(api.createProject({ name: name.value.trim(), allowed_origins: readOrigins(origins.value) }));
      // Whoever has left the dialog meanwhile is somewhere else by their own choice; the list has the project.
      if (closed.current) return;
      onClose();
      navigate(`/projects/${project.id}/install`);
    } catch (cause) {
      // Complaints stand beside their fields; only what belongs to none is said below them all.
      const fields = cause instanceof Problem ? cause.fields : [];
      const found = { name: fields.find(({ path }) => path === "name")?.message, origins: originErrors(fields, readOrigins(origins.value)) };
      errors.value = found.name || found.origins ? found : { all: explain(cause) };
    } finally {
      busy.value = false;
    }
  };

  return (
    <Dialog title={t.projects.create} onClose={onClose} testid="create-project">
      <form class="dialog-form" onSubmit={submit}>
        <TextField label={t.projects.name} error={errors.value.name} value={name.value} onInput={(value) => (name.value = value)} input={{ name: "name", required: true, maxLength: 200, placeholder: t.projects.namePlaceholder, autocomplete: "off" }} />
        <Field label={t.projects.origins} hint={t.projects.originsHint} error={errors.value.origins}>
          {(wiring) => <textarea {...wiring} class="input mono" rows={3} dir="ltr" spellcheck={false} name="origins" value={origins.value} onInput={(event) => (origins.value = event.currentTarget.value)} />}
        </Field>
        {errors.value.all && <p class="banner bad" role="alert">{errors.value.all}</p>}
        <footer class="dialog-foot">
          <button type="button" class="button" onClick={onClose}>{t.common.cancel}</button>
          <button type="submit" class="button primary" aria-disabled={busy.value}>{t.projects.submit}</button>
        </footer>
      </form>
    </Dialog>
  );
}
