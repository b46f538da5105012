import { useSignal } from "@preact/signals";
import { useDashboard } from "../context";
import { explainEntry } from "../entry/explain";
import { visitors as words } from "../text/en-visitors";
import { Confirm } from "../ui/confirm";
import { Code } from "../ui/copy";
import { Choice } from "../ui/field";
import { Section } from "../ui/section";
import { call, examples } from "./examples";

interface Secret {
  secret: string;
}

type Language = keyof typeof examples;
const languages = Object.fromEntries(Object.keys(examples).map((name) => [name, name])) as Record<Language, string>;

/** The secret comes when it is asked for, and is on nobody's screen before. */
export function Identity({ projectId }: { projectId: string }) {
  const { session, notices } = useDashboard();
  const secret = useSignal("");
  const failure = useSignal("");
  const rotating = useSignal(false);
  const language = useSignal<Language>("Node.js");
  const path = `/projects/${projectId}/identity-secret`;
  const show = async (): Promise<void> => {
    failure.value = "";
    try {
      secret.value = (await session.request<Secret>("GET", path)).secret;
    } catch (cause) {
      failure.value = `${words.secretFailed} ${explainEntry(cause)}`;
    }
  };
  return (
    <Section title={words.identity} lead={words.identityLead} testid="identity">
      {secret.value && (
        <>
          <p class="faint">{words.secretLead}</p>
          <Code label={words.secretLabel} code={secret.value} testid="identity-secret" />
        </>
      )}
      {failure.value && <p class="banner bad" role="alert">{failure.value}</p>}
      <div class="part-actions">
        <button type="button" class="button" aria-pressed={secret.value !== ""} data-testid="identity-show" onClick={() => (secret.value ? (secret.value = "") : void show())}>{secret.value ? words.hide : words.show}</button>
        <button type="button" class="button" data-testid="identity-rotate" onClick={() => (rotating.value = true)}>{words.rotate}</button>
      </div>
      <h3>{words.example}</h3>
      <Choice legend={words.language} name="language" value={language.value} options={languages} onPick={(value) => (language.value = value)} />
      <Code label={words.exampleLabel(language.value)} code={examples[language.value]} testid="identity-example" />
      <h3>{words.page}</h3>
      <Code label={words.pageLabel} code={call} testid="identity-call" />
      {rotating.value && (
        <Confirm
          title={words.rotateTitle}
          lead={words.rotateLead}
          action={words.rotate.replace("…", "")}
          onConfirm={async () => {
            secret.value = (await session.request<Secret>("POST", `${path}/rotate`, {})).secret;
            notices.show(words.rotated);
          }}
          onClose={() => (rotating.value = false)}
          testid="rotate"
        />
      )}
    </Section>
  );
}
