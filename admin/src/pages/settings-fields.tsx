import { useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useEffect } from "preact/hooks";
import { useDashboard } from "../context";
import { AccentField } from "../look/accent-field";
import { widgetWords } from "../look/preview";
import type { FieldError } from "../session/problem";
import type { Settings, Texts } from "../session/types";
import { kinds } from "../inbox/query";
import { t } from "../text/en";
import { look as lookText, settings as settingsText } from "../text/en-settings";
import { Choice, Field, Switch, TextField } from "../ui/field";
import { KindIcon } from "../ui/icons";
import { originErrors, readOrigins } from "./origins";
import type { SettingsForm } from "./settings-form";

export type Errors = readonly FieldError[];

/** The sections hold no state: the page's form is the only copy, and the preview is drawn from it too. */
interface FieldsProps {
  form: SettingsForm;
  change(part: Partial<SettingsForm>): void;
  errors: Errors;
}

/** One heading a group, so that a screen reader can jump from group to group. */
function Section({ title, children }: { title: string; children: ComponentChildren }) {
  return (
    <section class="settings-section">
      <h2>{title}</h2>
      <div class="settings-fields">{children}</div>
    </section>
  );
}

/** The server's words for a field or anything inside it (`settings.kinds.2` belongs to `settings.kinds`). */
function errorAt(errors: Errors, path: string): string | undefined {
  return errors.find((error) => error.path === path || error.path.startsWith(`${path}.`) || error.path.startsWith(`${path}[`))?.message;
}

/** Changes single settings of the form. */
function setter({ form, change }: FieldsProps): (part: Partial<Settings>) => void {
  return (part) => change({ settings: { ...form.settings, ...part } });
}

/** What the project is called and who may use its key. Neither is seen by visitors. */
export function ProjectFields({ form, change, errors }: FieldsProps) {
  return (
    <Section title={settingsText.project}>
      <TextField label={settingsText.name} error={errorAt(errors, "name")} value={form.name} onInput={(name) => change({ name })} input={{ name: "name", required: true, maxLength: 200, autocomplete: "off" }} />
      <Field label={settingsText.origins} hint={t.projects.originsHint} error={originErrors(errors, readOrigins(form.origins))}>
        {(wiring) => <textarea {...wiring} class="input mono" rows={4} dir="ltr" spellcheck={false} data-testid="origins" value={form.origins} onInput={(event) => change({ origins: event.currentTarget.value })} />}
      </Field>
    </Section>
  );
}

/** How the widget looks. All of it shows in the preview at once. */
export function AppearanceFields(props: FieldsProps) {
  const { settings } = props.form;
  const set = setter(props);
  return (
    <Section title={settingsText.appearance}>
      <AccentField value={settings.accent} error={errorAt(props.errors, "settings.accent")} onPick={(accent) => set({ accent })} />
      <Choice legend={lookText.position} name="position" value={settings.position} options={lookText.positions} onPick={(position) => set({ position })} />
      <Choice legend={lookText.theme} name="widget-theme" value={settings.theme} options={lookText.themes} onPick={(theme) => set({ theme })} />
      <Choice legend={settingsText.trigger} name="trigger" value={settings.trigger} options={settingsText.triggers} hint={settingsText.triggerHint} onPick={(trigger) => set({ trigger })} />
    </Section>
  );
}

/** What the form asks for. No kind at all is a choice, too: the widget then leaves the question out. */
export function QuestionFields(props: FieldsProps) {
  const { settings } = props.form;
  const set = setter(props);
  return (
    <Section title={settingsText.questions}>
      <fieldset class="field choice">
        <legend>{settingsText.kinds}</legend>
        <div class="checks">
          {kinds.map((kind) => (
            <label class="check" key={kind}>
              <input
                type="checkbox"
                checked={settings.kinds.includes(kind)}
                // The order stays the usual one, whatever the order of the clicks.
                onChange={(event) => set({ kinds: kinds.filter((other) => (other === kind ? event.currentTarget.checked : settings.kinds.includes(other))) })}
              />
              <KindIcon kind={kind} />
              {t.kind[kind]}
            </label>
          ))}
        </div>
      </fieldset>
      <Switch label={settingsText.rating} checked={settings.rating} testid="rating" onToggle={(rating) => set({ rating })} />
      <Switch label={settingsText.askEmail} checked={settings.ask_email} testid="ask-email" onToggle={(ask_email) => set({ ask_email })} />
    </Section>
  );
}

/** A text of the project's own holds for every language; the placeholders show what stands there without one. */
export function LanguageFields(props: FieldsProps) {
  const { settings } = props.form;
  const set = setter(props);
  const words = widgetWords[settings.locale === "auto" ? "en" : settings.locale];
  const text = (name: keyof Texts, label: string, placeholder?: string) => (
    <TextField
      label={label}
      error={errorAt(props.errors, `settings.texts.${name}`)}
      value={settings.texts[name] ?? ""}
      onInput={(value) => set({ texts: { ...settings.texts, [name]: value } })}
      input={{ name: `text-${name}`, maxLength: 200, placeholder, dir: "auto", autocomplete: "off" }}
    />
  );
  return (
    <Section title={settingsText.language}>
      <Choice legend={settingsText.locale} name="locale" value={settings.locale} options={settingsText.locales} onPick={(locale) => set({ locale })} />
      <p class="hint">{settingsText.texts}</p>
      <div class="pair">
        {text("launcher", settingsText.launcher, words.launcher)}
        {text("title", settingsText.panelTitle, words.title)}
        {text("placeholder", settingsText.placeholder, words.placeholder)}
        {text("thanks", settingsText.thanks, words.sent)}
      </div>
    </Section>
  );
}

/** Drafts are the one setting with a promise to visitors: the hint says what they are told. */
export function PrivacyFields(props: FieldsProps & { projectId: string }) {
  const set = setter(props);
  return (
    <Section title={settingsText.privacy}>
      <Retention {...props} />
      <Switch label={settingsText.showDrafts} hint={settingsText.showDraftsHint} testid="show-drafts" checked={props.form.settings.show_drafts} onToggle={(show_drafts) => set({ show_drafts })} />
    </Section>
  );
}

/** How much goes at once is said before it is saved: it does not come back. */
function Retention({ form, change, errors, projectId }: FieldsProps & { projectId: string }) {
  const { api, workspace } = useDashboard();
  const gone = useSignal<number | null>(null);
  const days = Number(form.retention);
  useEffect(() => {
    gone.value = null;
    if (!form.retention.trim() || !Number.isInteger(days) || days < 1 || days > 3650 || !workspace.canManage.peek()) return;
    const abort = new AbortController();
    // Once the typing pauses: every digit is a number of days.
    const timer = setTimeout(() => void api.retention(projectId, days, abort.signal).then(({ items }) => void (gone.value = items), () => undefined), 400);
    return () => {
      clearTimeout(timer);
      abort.abort();
    };
  }, [form.retention]);
  return (
    <>
      <TextField
        label={settingsText.retention}
        hint={settingsText.retentionHint}
        error={errorAt(errors, "retention_days")}
        value={form.retention}
        onInput={(retention) => change({ retention })}
        input={{ name: "retention", maxLength: 4, placeholder: settingsText.retentionNone, autocomplete: "off" }}
      />
      <p class="hint" role="status" data-testid="retention-preview">{gone.value ? settingsText.retentionGone(gone.value) : ""}</p>
    </>
  );
}
