import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { useDashboard } from "../context";
import { Problem } from "../session/problem";
import { t } from "../text/en";
import { login as words } from "../text/en-entry";
import { TextField } from "../ui/field";
import { Brand } from "../ui/icons";
import { explain } from "../workspace";

/**
 * The sign-in page. It says why somebody is here when that was not their own doing; where they go afterwards is in the
 * URL and is the frame's business.
 */
export function LoginPage() {
  const { session, api } = useDashboard();
  const email = useSignal("");
  const password = useSignal("");
  const busy = useSignal(false);
  const error = useSignal("");
  const setupNeeded = useSignal(false);
  const form = useRef<HTMLFormElement>(null);
  const state = session.state.value;
  const reason = state.name === "out" ? state.reason : "none";

  useEffect(() => {
    document.title = `${words.title} · ${t.product}`;
    // There is one thing to do on this page, and people come here to do it.
    form.current?.querySelector("input")?.focus();
    if (reason === "none") api.setupNeeded().then((needed) => (setupNeeded.value = needed), () => undefined);
  }, []);

  const submit = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    // Attempts are counted by the server; an impatient second click must not cost one.
    if (busy.value) return;
    busy.value = true;
    error.value = "";
    try {
      // The page is left by the guard, as soon as the session says that somebody is in.
      await session.login({ email: email.value.trim(), password: password.value });
    } catch (cause) {
      // A password that could not be one (422) is a wrong one to the person; the rules are told where one is chosen.
      error.value = cause instanceof Problem && (cause.status === 401 || cause.status === 422) ? words.wrong : explain(cause);
      // It is mostly the password that is wrong, and it cannot be read again anyway.
      form.current?.querySelector<HTMLInputElement>("input[type=password]")?.select();
    } finally {
      busy.value = false;
    }
  };

  return (
    <main class="alone">
      <form class="card" ref={form} onSubmit={submit} data-testid="login">
        <Brand />
        <h1>{words.title}</h1>
        {reason === "none" && !setupNeeded.value && <p class="lead">{words.lead}</p>}
        {reason !== "none" && <p class="banner" role="status" data-testid="login-reason">{words[reason]}</p>}
        {setupNeeded.value && <p class="banner" role="status">{words.setupNeeded}</p>}
        <TextField label={words.email} value={email.value} onInput={(value) => (email.value = value)} input={{ type: "email", name: "email", autocomplete: "username", required: true }} />
        <TextField label={words.password} value={password.value} onInput={(value) => (password.value = value)} input={{ type: "password", name: "password", autocomplete: "current-password", required: true }} />
        {error.value && <p class="banner bad" role="alert" data-testid="login-error">{error.value}</p>}
        <button type="submit" class="button primary block" aria-disabled={busy.value}>{busy.value ? words.busy : words.submit}</button>
      </form>
    </main>
  );
}
