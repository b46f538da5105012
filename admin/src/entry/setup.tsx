import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { useDashboard } from "../context";
import { Problem } from "../session/problem";
import { t } from "../text/en";
import { entry, setup as words } from "../text/en-entry";
import { TextField } from "../ui/field";
import { Brand } from "../ui/icons";
import { explain } from "../workspace";

const blank = { name: "", organization: "", email: "", password: "" };
type Fields = typeof blank;

/** The first account of a server. The token comes in the fragment, which browsers send to nobody. */
export function SetupPage({ token }: { token: string }) {
  const { api } = useDashboard();
  const done = useSignal(false);
  useEffect(() => {
    document.title = `${words.title} · ${t.product}`;
    // Not knowing is no reason to keep anybody out: the server refuses a second setup itself.
    api.setupNeeded().then((needed) => (done.value = !needed), () => undefined);
  }, []);
  if (!done.value && token) return <main class="alone"><SetupForm token={token} /></main>;
  return (
    <main class="alone">
      <div class="card" data-testid="setup">
        <Brand />
        <h1>{words.title}</h1>
        <p class="banner">{done.value ? words.done : words.noToken}</p>
        <a class="button primary block" href="/login">{entry.toLogin}</a>
      </div>
    </main>
  );
}

function SetupForm({ token }: { token: string }) {
  const { session } = useDashboard();
  const fields = useSignal(blank);
  const errors = useSignal<Partial<Record<keyof Fields, string>>>({});
  const failure = useSignal("");
  const busy = useSignal(false);
  const form = useRef<HTMLFormElement>(null);
  useEffect(() => form.current?.querySelector("input")?.focus(), []);

  const submit = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    // Busy and not disabled: a disabled button would lose the focus.
    if (busy.value) return;
    busy.value = true;
    errors.value = {};
    failure.value = "";
    try {
      await session.setup({ token, ...fields.value, email: fields.value.email.trim() });
    } catch (cause) {
      const problem = cause instanceof Problem ? cause : null;
      errors.value = Object.fromEntries(problem?.fields.map(({ path, message }) => [path, message]) ?? []);
      // Used, expired or never given out: the server does not say which, and the way out is the same.
      const refused = problem?.status === 401 || problem?.status === 403 || problem?.status === 404;
      failure.value = refused ? words.refused : Object.keys(blank).some((name) => name in errors.value) ? "" : explain(cause);
    } finally {
      busy.value = false;
    }
  };

  const field = (name: keyof Fields, type: "text" | "email" | "password", autocomplete: AutoFill, hint?: string) => (
    <TextField
      label={words[name]}
      hint={hint}
      error={errors.value[name]}
      value={fields.value[name]}
      onInput={(value) => (fields.value = { ...fields.value, [name]: value })}
      // The server's own rule, told before the form is sent. It alone knows the others.
      input={{ type, name, autocomplete, required: true, minLength: name === "password" ? 12 : undefined }}
    />
  );

  return (
    <form class="card" ref={form} onSubmit={submit} data-testid="setup">
      <Brand />
      <h1>{words.title}</h1>
      <p class="lead">{words.lead}</p>
      {field("name", "text", "name")}
      {field("organization", "text", "organization")}
      {field("email", "email", "username")}
      {field("password", "password", "new-password", entry.passwordHint)}
      {failure.value && <p class="banner bad" role="alert">{failure.value}</p>}
      <button type="submit" class="button primary block" aria-disabled={busy.value}>{busy.value ? words.busy : words.submit}</button>
    </form>
  );
}
