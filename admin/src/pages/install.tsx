import { useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { useDashboard } from "../context";
import { AccentField } from "../look/accent-field";
import { Preview } from "../look/preview";
import { inboxHref } from "../router";
import type { Project, Settings } from "../session/types";
import { t } from "../text/en";
import { install as installText, look as lookText, settings as settingsText } from "../text/en-settings";
import { isolate } from "../text/isolate";
import { Code } from "../ui/copy";
import { Choice } from "../ui/field";
import { Icon } from "../ui/icons";
import { explain } from "../workspace";

/** From nothing to the first feedback. The last step needs no click: it turns when something arrives. */
export function InstallPage({ project }: { project: Project }) {
  useEffect(() => void (document.title = `${installText.title} · ${isolate(project.name)} · ${t.product}`), [project.name]);
  return (
    <div class="page">
      <header class="page-head">
        <div>
          <h1>{installText.title}</h1>
          <p class="lead">{installText.lead}</p>
        </div>
      </header>
      <ol class="steps">
        <Step title={installText.snippet} lead={installText.snippetLead}>
          <Code label={installText.snippetLabel} code={project.snippet} testid="snippet" />
          <details class="pinned">
            <summary>{installText.pinned}</summary>
            <p class="hint">{installText.pinnedLead}</p>
            <Code label={installText.pinnedLabel} code={project.pinned_snippet} testid="pinned-snippet" />
          </details>
        </Step>
        <Step title={installText.look} lead={installText.lookLead}>
          <Look project={project} />
        </Step>
        <Step title={installText.csp} lead={installText.cspLead}>
          <Code label={installText.cspLabel} code={policy(project.snippet)} testid="csp" />
          <p class="hint">{installText.cspNote}</p>
        </Step>
        <Waiting projectId={project.id} />
      </ol>
      <section class="trouble">
        <h2>{installText.trouble}</h2>
        {installText.troubles.map(([question, answer]) => (
          <details key={question}>
            <summary>{question}</summary>
            <p>{answer}</p>
          </details>
        ))}
      </section>
    </div>
  );
}

/** The number comes from the style sheet, so that a step can be moved without counting anew. */
function Step({ title, lead, children }: { title: string; lead: string; children: ComponentChildren }) {
  return (
    <li class="step">
      <h2>{title}</h2>
      <p class="step-lead">{lead}</p>
      {children}
    </li>
  );
}

/** The sources that a site's own policy needs. The host is the snippet's: behind a proxy it is not this page's. */
export function policy(snippet: string): string {
  const origin = /src="(https?:\/\/[^/"]+)/.exec(snippet)?.[1] ?? location.origin;
  return `script-src ${origin};\nconnect-src ${origin} ${origin.replace(/^http/, "ws")};`;
}

/** A colour being dragged reports dozens of values a second; the last one is saved. */
const saveDelayMs = 500;

/** The look, saved as it is chosen: whoever installs is not looking for a save button. */
function Look({ project }: { project: Project }) {
  const { api, workspace, notices } = useDashboard();
  const settings = useSignal(project.settings);
  // Only what was touched is sent: somebody else may be changing the rest in the settings.
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const pending = useRef<Partial<Settings>>({});
  const readOnly = !workspace.canManage.value;

  const save = async (): Promise<void> => {
    // Emptied before the answer: what is changed while it is under way goes out with the next one.
    const patch = pending.current;
    pending.current = {};
    try {
      await workspace.put(api.updateProject(project.id, { settings: patch }));
      notices.show(settingsText.saved);
    } catch (cause) {
      notices.show(`${settingsText.failed} ${explain(cause)}`, "bad");
    }
  };
  const change = (patch: Partial<Settings>): void => {
    settings.value = { ...settings.value, ...patch };
    pending.current = { ...pending.current, ...patch };
    clearTimeout(timer.current);
    timer.current = setTimeout(save, saveDelayMs);
  };
  // Leaving within the delay must not lose the choice.
  useEffect(() => () => {
    clearTimeout(timer.current);
    if (Object.keys(pending.current).length > 0) void save();
  }, []);

  return (
    <div class="look">
      <div class="look-fields">
        <AccentField value={settings.value.accent} disabled={readOnly} onPick={(accent) => change({ accent })} />
        <Choice legend={lookText.position} name="position" disabled={readOnly} value={settings.value.position} options={lookText.positions} onPick={(position) => change({ position })} />
        <Choice legend={lookText.theme} name="widget-theme" disabled={readOnly} value={settings.value.theme} options={lookText.themes} onPick={(theme) => change({ theme })} />
      </div>
      <Preview settings={settings.value} />
    </div>
  );
}

/** Watches the log like the inbox does. The first read covers what came before, and a reconnect reads again. */
function Waiting({ projectId }: { projectId: string }) {
  const { api, live } = useDashboard();
  const arrived = useSignal(false);
  useEffect(() => {
    const look = (): void => void api.hasFeedback(projectId).then((found) => found && (arrived.value = true), () => undefined);
    // A failed look is no failure to show: the log tells of the first feedback just as well.
    look();
    return live().watch(projectId, {
      received: () => (arrived.value = true),
      // Only the first arrival matters here; what becomes of it is the inbox's business.
      updated: () => undefined,
      erased: () => undefined,
      conversed: () => undefined,
      fresh: look,
    });
  }, [projectId]);
  // One element in both states: the region that speaks must be there before it has something to say.
  return (
    <li class={arrived.value ? "step waiting arrived" : "step waiting"} data-testid="first-feedback" data-arrived={arrived.value}>
      <div role="status">
        <h2>
          {arrived.value ? <span class="waiting-icon"><Icon name="check" /></span> : <span class="waiting-icon radar" aria-hidden="true" />}
          {arrived.value ? installText.arrived : installText.waiting}
        </h2>
        <p class="step-lead">{arrived.value ? installText.arrivedLead : installText.waitingLead}</p>
      </div>
      {arrived.value && <a class="button primary" href={inboxHref(projectId, null)}>{installText.toInbox}<Icon name="arrow" class="mirrored" /></a>}
    </li>
  );
}
