import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { useDashboard } from "../context";
import { Problem } from "../session/problem";
import { t } from "../text/en";
import { TextField } from "../ui/field";
import { Brand } from "../ui/icons";
import { explain } from "../workspace";

const blank = { name: "", organization: "", email: "", password: "" };
type Fields = typeof blank;

/** The first account of a server. The token comes in the fragment, which browsers send to nobody. */
export function SetupPage({ token }: { token: string }) {
  const { session, api } = useDashboard();
  const fields = useSignal(blank);
  const errors = useSignal<Partial<Record<keyof Fields, string>>>({});
  const failure = useSignal("");
  const busy = useSignal(false);
  const done = useSignal(false);
  const form = useRef<HTMLFormElement>(null);

  useEffect(() => {
    document.title = `${t.setup.title} · ${t.product}`;
    form.current?.querySelector("input")?.focus();
    api.setupNeeded().then((needed) => (done.value = !needed), () => undefined);
  }, []);

  const submit = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
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
      failure.value = refused ? t.setup.refused : Object.keys(blank).some((name) => name in errors.value) ? "" : explain(cause);
    } finally {
      busy.value = false;
    }
  };

  const field = (name: keyof Fields, label: string, type: "text" | "email" | "password", autocomplete: AutoFill, hint?: string) => (
    <TextField
      label={label}
      hint={hint}
      error={errors.value[name]}
      value={fields.value[name]}
      onInput={(value) => (fields.value = { ...fields.value, [name]: value })}
      input={{ type, name, autocomplete, required: true, minLength: name === "password" ? 12 : undefined }}
    />
  );

  return (
    <main class="alone">
      <form class="card" ref={form} onSubmit={submit} data-testid="setup">
        <Brand />
        <h1>{t.setup.title}</h1>
        {done.value || !token ? (
          <>
            <p class="banner">{done.value ? t.setup.done : t.setup.noToken}</p>
            <a class="button primary block" href="/login">{t.setup.toLogin}</a>
          </>
        ) : (
          <>
            <p class="lead">{t.setup.lead}</p>
            {field("name", t.setup.name, "text", "name")}
            {field("organization", t.setup.organization, "text", "organization")}
            {field("email", t.setup.email, "email", "username")}
            {field("password", t.setup.password, "password", "new-password", t.setup.passwordHint)}
            {failure.value && <p class="banner bad" role="alert">{failure.value}</p>}
            <button type="submit" class="button primary block" aria-disabled={busy.value}>{busy.value ? t.setup.busy : t.setup.submit}</button>
          </>
        )}
      </form>
    </main>
  );
}
