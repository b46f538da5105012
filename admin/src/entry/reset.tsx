import { useSignal } from "@preact/signals";
import { useDashboard } from "../context";
import { linkToken } from "../router";
import { Problem } from "../session/problem";
import { entry, reset as words } from "../text/en-entry";
import { useForm } from "../ui/form";
import { EntryCard } from "./card";

/** Chooses a new password by the link of a mail. It signs nobody in: a second factor is still asked for. */
export function ResetPage() {
  const token = linkToken("reset");
  // Another link of the same kind is another try.
  return <Reset key={token} token={token} />;
}

function Reset({ token }: { token: string }) {
  const { session } = useDashboard();
  const state = useSignal<"open" | "done" | "bad">(token ? "open" : "bad");
  const { form, field, failure, busy } = useForm({ password: "" }, {
    focus: true,
    async send({ password }) {
      try {
        await session.ask("/auth/password/reset", { token, password });
      } catch (cause) {
        if (!(cause instanceof Problem) || cause.status !== 401) throw cause;
        state.value = "bad";
        return;
      }
      state.value = "done";
      // Whoever was signed in here is no longer: to find out now spares them the surprise.
      await session.refresh().catch(() => undefined);
    },
  });
  if (state.value === "done") {
    return (
      <EntryCard title={words.done} lead={words.doneLead} testid="reset-done">
        <a class="button primary block" href="/login">{entry.toLogin}</a>
      </EntryCard>
    );
  }
  if (state.value === "bad") {
    return (
      <EntryCard title={words.bad} lead={words.badLead} testid="reset-bad">
        <a class="button primary block" href="/forgot">{words.again}</a>
      </EntryCard>
    );
  }
  return (
    <EntryCard title={words.title} lead={words.lead} testid="reset">
      <form class="card-form" {...form}>
        {field("password", { label: words.password, hint: entry.passwordHint, type: "password", autocomplete: "new-password", minLength: 12 })}
        {failure}
        <button type="submit" class="button primary block" aria-disabled={busy}>{busy ? words.busy : words.submit}</button>
      </form>
    </EntryCard>
  );
}
