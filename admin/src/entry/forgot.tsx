import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { useDashboard } from "../context";
import { forgot as words } from "../text/en-entry";
import { useForm } from "../ui/form";
import { EntryCard } from "./card";

/** Asks for a link to choose a new password. The answer is the same whether or not there is such an account. */
export function ForgotPage() {
  const { session } = useDashboard();
  const outcome = useSignal<{ email: string; mail: boolean } | null>(null);
  const told = useRef<HTMLParagraphElement>(null);
  const { form, field, failure, busy } = useForm({ email: "" }, {
    focus: true,
    async send({ email }) {
      const { mail } = await session.ask<{ mail: boolean }>("/auth/password/forgot", { email: email.trim() });
      outcome.value = { email: email.trim(), mail };
    },
  });
  const done = outcome.value;
  // The form that had the focus is gone.
  useEffect(() => told.current?.focus(), [done]);
  const back = <a href="/login">{words.back}</a>;
  if (done) {
    return (
      <EntryCard title={words.title} testid="forgot-done">
        <p class={done.mail ? "banner" : "banner warn"} ref={told} tabIndex={-1}>{done.mail ? words.sent(done.email) : words.noMail}</p>
        {done.mail && <p class="hint">{words.again}</p>}
        {back}
      </EntryCard>
    );
  }
  return (
    <EntryCard title={words.title} lead={words.lead} testid="forgot">
      <form class="card-form" {...form}>
        {field("email", { label: words.email, type: "email", autocomplete: "username" })}
        {failure}
        <button type="submit" class="button primary block" aria-disabled={busy}>{busy ? words.busy : words.submit}</button>
      </form>
      {back}
    </EntryCard>
  );
}
