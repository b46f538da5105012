import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { useDashboard } from "../context";
import { explainEntry } from "../entry/explain";
import type { Me, SignInMethods } from "../session/types";
import { account as words } from "../text/en-account";
import { t } from "../text/en";
import { Icon } from "../ui/icons";
import { useForm } from "../ui/form";
import { Section } from "../ui/section";

/** The name, which is saved, and the address, which is proved. */
export function ProfileSection() {
  const { session, workspace, notices } = useDashboard();
  const me = workspace.me.value?.user;
  const { form, field, failure, busy, fields } = useForm({ name: me?.name ?? "" }, {
    async send({ name }) {
      const { user } = await workspace.know(session.request<Me>("PATCH", "/me", { name: name.trim() }));
      // The server's form of it, unless somebody has typed on meanwhile.
      if (fields.peek().name === name) fields.value = { name: user.name };
      notices.show(words.saved);
    },
  });
  if (!me) return null;
  return (
    <Section title={words.profile} lead={words.profileLead} testid="profile">
      <form class="part-form" {...form}>
        {field("name", { label: words.name, autocomplete: "name", maxLength: 200, optional: true })}
        {failure}
        <p><button type="submit" class="button" aria-disabled={busy}>{t.common.save}</button></p>
      </form>
      <Address email={me.email} verified={me.email_verified} />
    </Section>
  );
}

function Address({ email, verified }: { email: string; verified: boolean }) {
  const { session } = useDashboard();
  const mail = useSignal<boolean | null>(null);
  const said = useSignal("");
  const busy = useSignal(false);
  useEffect(() => {
    if (!verified) session.ask<SignInMethods>("/auth/methods").then((known) => (mail.value = known.mail), () => undefined);
  }, [verified]);
  const send = async (): Promise<void> => {
    if (busy.value) return;
    busy.value = true;
    said.value = "";
    try {
      const sent = await session.request<{ mail: boolean }>("POST", "/me/email/verification");
      said.value = sent.mail ? words.confirmSent(email) : words.confirmNoMail;
    } catch (cause) {
      said.value = `${words.confirmFailed} ${explainEntry(cause)}`;
    } finally {
      busy.value = false;
    }
  };
  return (
    <div class="field" data-testid="address">
      <h3>{words.email}</h3>
      <p class="with-mark">
        <bdi class="breaks">{email}</bdi>
        {verified ? <span class="mark good"><Icon name="check" />{words.confirmed}</span> : <span class="mark warn"><Icon name="alert" />{words.unconfirmed}</span>}
      </p>
      {!verified && mail.value === true && <p><button type="button" class="button small" data-testid="send-verification" aria-disabled={busy.value} onClick={send}>{words.confirm}</button></p>}
      {!verified && mail.value === false && <p class="hint">{words.confirmNoMail}</p>}
      <p class="hint" role="status">{said.value}</p>
    </div>
  );
}
