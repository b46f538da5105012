import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { components } from "../../../realtime/protocol/ts";
import { useDashboard } from "../context";
import { useTitle } from "../entry/card";
import { programs as words } from "../text/en-team";
import { t } from "../text/en";
import { formatMoment } from "../text/format";
import { Confirm } from "../ui/confirm";
import { Code } from "../ui/copy";
import { Field } from "../ui/field";
import { useForm } from "../ui/form";
import { Icon } from "../ui/icons";
import { Section } from "../ui/section";

type Key = components["schemas"]["APIKey"];
type Scope = Key["scopes"][number];

const scopes = Object.keys(words.scope) as Scope[];
/** What does not belong to projects, so a key of one project cannot have it. */
const wide: ReadonlySet<Scope> = new Set<Scope>(["members:read", "audit:read", "metrics:read"]);

/** What programs may do. */
export function KeysPage() {
  const { session, notices, workspace } = useDashboard();
  const keys = useSignal<readonly Key[] | null>(null);
  const failed = useSignal(false);
  const revoking = useSignal<Key | null>(null);
  useTitle(words.title);
  const read = async (): Promise<void> => {
    failed.value = false;
    try {
      keys.value = (await session.request<{ items: Key[] }>("GET", "/api-keys?limit=200")).items;
    } catch {
      failed.value = true;
    }
  };
  useEffect(() => void read(), []);
  const chosen = revoking.value;
  const project = (id: string | null): string => (id ? (workspace.projects.value?.find((it) => it.id === id)?.name ?? id) : words.allProjects);
  return (
    <div class="page" data-testid="api-keys">
      <header class="page-head"><div><h1>{words.title}</h1><p class="lead">{words.lead}</p></div></header>
      <NewKey onMade={(made) => (keys.value = [made, ...(keys.peek() ?? [])])} />
      {failed.value && <p class="banner bad" role="alert">{words.failed} <button type="button" class="link" onClick={read}>{t.common.retry}</button></p>}
      {keys.value && (
        <Section title={words.keys} lead={words.keysLead(keys.value.length)} testid="keys">
          {/* A list of nothing would be a line with nothing in it. */}
          {keys.value.length > 0 && <ul class="lines">
            {keys.value.map((it) => (
              <li class="line" key={it.id} data-testid="key">
                <span class="line-mark"><Icon name="key" /></span>
                <div class="line-main">
                  <p class="with-mark"><bdi class="strong">{it.name}</bdi><code class="faint">sk_…{it.hint}</code></p>
                  <p class="faint">{it.scopes.map((scope) => words.scope[scope]).join(" · ")}</p>
                  <p class="faint"><bdi>{project(it.project_id)}</bdi> · {it.used_at ? words.used(formatMoment(it.used_at)) : words.never}</p>
                </div>
                <button type="button" class="button small" data-testid="key-revoke" onClick={() => (revoking.value = it)}>{words.revoke}</button>
              </li>
            ))}
          </ul>}
        </Section>
      )}
      {chosen && (
        <Confirm
          title={words.revokeTitle(chosen.name)}
          lead={words.revokeLead}
          action={words.revoke}
          onConfirm={async () => {
            await session.request("DELETE", `/api-keys/${chosen.id}`);
            keys.value = keys.peek()?.filter(({ id }) => id !== chosen.id) ?? null;
            notices.show(words.revoked(chosen.name));
          }}
          onClose={() => (revoking.value = null)}
          testid="revoke-key"
        />
      )}
    </div>
  );
}

function NewKey({ onMade }: { onMade(key: Key): void }) {
  const { session, workspace } = useDashboard();
  const picked = useSignal<readonly Scope[]>(["feedback:read"]);
  const project = useSignal("");
  const secret = useSignal("");
  const { form, field, busy, failure, errors, clear } = useForm({ name: "" }, {
    async send({ name }) {
      const { key, ...made } = await session.request<components["schemas"]["CreatedAPIKey"]>("POST", "/api-keys", {
        name,
        scopes: scopes.filter((scope) => picked.peek().includes(scope) && !(project.peek() && wide.has(scope))),
        ...(project.peek() && { project_id: project.peek() }),
      });
      secret.value = key;
      onMade(made);
      clear();
    },
  });
  const toggle = (scope: Scope, on: boolean): void => void (picked.value = on ? [...picked.peek(), scope] : picked.peek().filter((it) => it !== scope));
  return (
    <Section title={words.create} lead={words.createLead} testid="new-key">
      <form class="part-form" {...form}>
        {field("name", { label: words.name, hint: words.nameHint, maxLength: 200, autocomplete: "off" })}
        <Field label={words.project}>
          {(wiring) => (
            <select {...wiring} class="input" value={project.value} onChange={(event) => (project.value = event.currentTarget.value)}>
              <option value="">{words.allProjects}</option>
              {workspace.projects.value?.map((it) => <option key={it.id} value={it.id}>{it.name}</option>)}
            </select>
          )}
        </Field>
        <fieldset class="field choice">
          <legend>{words.scopes}</legend>
          <div class="scope-checks">
            {scopes.map((scope) => (
              <label class="check" key={scope}>
                <input type="checkbox" name={scope} disabled={Boolean(project.value) && wide.has(scope)} checked={picked.value.includes(scope) && !(project.value && wide.has(scope))} onChange={(event) => toggle(scope, event.currentTarget.checked)} />
                {words.scope[scope]}
              </label>
            ))}
          </div>
          {errors["scopes"] && <p class="field-error">{errors["scopes"]}</p>}
        </fieldset>
        {failure}
        <div><button type="submit" class="button primary" aria-disabled={busy} data-testid="key-create">{words.make}</button></div>
      </form>
      {secret.value && (
        <div role="status">
          <p class="strong">{words.secretTitle}</p>
          <p class="faint">{words.secretLead}</p>
          <Code label={words.secretLabel} code={secret.value} testid="key-secret" />
        </div>
      )}
    </Section>
  );
}
