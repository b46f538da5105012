import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { useDashboard } from "../context";
import type { SignInMethods } from "../session/types";
import { entry, signup as words } from "../text/en-entry";
import { useForm } from "../ui/form";
import { EntryCard } from "./card";

/** Makes an account with an organisation of its own, where the server lets anybody. */
export function SignUpPage() {
  const { session } = useDashboard();
  const closed = useSignal(false);
  // Not knowing is no reason to keep anybody out: the server refuses by itself.
  useEffect(() => void session.ask<SignInMethods>("/auth/methods").then(({ signup }) => (closed.value = !signup), () => undefined), []);
  const { form, field, failure, busy } = useForm({ name: "", organization: "", email: "", password: "" }, {
    focus: true,
    // The page is left by the guard.
    send: (fields) => session.signUp({ ...fields, email: fields.email.trim() }),
  });
  if (closed.value) {
    return (
      <EntryCard title={words.title} testid="signup-closed">
        <p class="banner warn">{words.closed}</p>
        <a class="button primary block" href="/login">{entry.toLogin}</a>
      </EntryCard>
    );
  }
  return (
    <EntryCard title={words.title} lead={words.lead} testid="signup">
      <form class="card-form" {...form}>
        {field("name", { label: words.name, autocomplete: "name", maxLength: 200 })}
        {field("organization", { label: words.organization, autocomplete: "organization", maxLength: 200 })}
        {field("email", { label: words.email, type: "email", autocomplete: "username" })}
        {field("password", { label: words.password, hint: entry.passwordHint, type: "password", autocomplete: "new-password", minLength: 12 })}
        {failure}
        <button type="submit" class="button primary block" aria-disabled={busy}>{busy ? words.busy : words.submit}</button>
      </form>
      <p class="hint">{words.have} <a href="/login">{words.signIn}</a></p>
    </EntryCard>
  );
}
