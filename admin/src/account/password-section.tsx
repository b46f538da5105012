import { useDashboard } from "../context";
import { account as words } from "../text/en-account";
import { useForm } from "../ui/form";
import { Section } from "../ui/section";

/** Changes the password, and thereby signs out everything else. */
export function PasswordSection({ onChanged }: { onChanged(): void }) {
  const { session, workspace, notices } = useDashboard();
  const me = workspace.me.value?.user;
  const { form, field, failure, busy, clear } = useForm({ current: "", password: "" }, {
    async send(fields) {
      await session.request("POST", "/me/password", fields);
      clear();
      notices.show(words.changed);
      onChanged();
    },
  });
  return (
    <Section title={words.password} lead={words.passwordLead} testid="password">
      {me?.has_password ? (
        <form class="part-form" {...form}>
          {/* For password managers, which else would not know whose password changes. */}
          <input class="visually-hidden" type="email" name="username" autocomplete="username" value={me.email} readOnly tabIndex={-1} aria-hidden="true" />
          {field("current", { label: words.current, type: "password", autocomplete: "current-password" })}
          {field("password", { label: words.next, hint: words.nextHint, type: "password", autocomplete: "new-password", minLength: 12 })}
          {failure}
          <p><button type="submit" class="button" aria-disabled={busy}>{words.change}</button></p>
        </form>
      ) : (
        <p class="hint">{words.noPassword}</p>
      )}
    </Section>
  );
}
