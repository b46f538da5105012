import { useSignal } from "@preact/signals";
import type { components } from "../../../realtime/protocol/ts";
import { useDashboard } from "../context";
import type { Role } from "../session/types";
import { roleNames, roles } from "../text/en-roles";
import { team as words } from "../text/en-team";
import { formatMoment } from "../text/format";
import { Confirm } from "../ui/confirm";
import { Code } from "../ui/copy";
import { Choice } from "../ui/field";
import { useForm } from "../ui/form";
import { Icon } from "../ui/icons";
import { Section } from "../ui/section";

export type Invite = components["schemas"]["Invite"];
type Created = components["schemas"]["CreatedInvite"];

interface InviteProps {
  /** The role of who invites: nobody invites above themselves. */
  rank: Role;
  invites: readonly Invite[];
  onMade(made: Created): void;
  onRevoked(id: string): void;
}

/** Lets somebody in by a link, which is shown once. */
export function InviteSection({ rank, invites, onMade, onRevoked }: InviteProps) {
  const { session } = useDashboard();
  const role = useSignal<Role>("agent");
  const made = useSignal<Created | null>(null);
  const revoking = useSignal<Invite | null>(null);
  const { form, field, busy, failure, clear } = useForm({ email: "" }, {
    async send({ email }) {
      const answer = await session.request<Created>("POST", "/invites", { role: role.peek(), ...(email.trim() && { email: email.trim() }) });
      made.value = answer;
      onMade(answer);
      clear();
    },
  });
  const offered = Object.fromEntries(roles.filter((it) => rank === "owner" || it !== "owner").map((it) => [it, roleNames[it]])) as Record<Role, string>;
  const chosen = revoking.value;
  return (
    <>
      <Section title={words.invite} lead={words.inviteLead} testid="invite">
        <form class="part-form" {...form}>
          {field("email", { label: words.email, hint: words.emailHint, type: "email", autocomplete: "off", optional: true })}
          <Choice legend={words.as} name="invite-role" value={role.value} options={offered} onPick={(it) => (role.value = it)} />
          {failure}
          <div><button type="submit" class="button primary" aria-disabled={busy} data-testid="invite-send">{words.send}</button></div>
        </form>
        {made.value && (
          <div role="status">
            <p class="strong">{words.linkTitle}</p>
            <p class="faint">{words.linkLead(made.value.mailed)}</p>
            <Code label={words.linkLabel} code={made.value.url} testid="invite-link" />
          </div>
        )}
      </Section>
      {invites.length > 0 && (
        <Section title={words.open} lead={words.openLead} testid="invites">
          <ul class="lines">
            {invites.map((it) => (
              <li class="line" key={it.id} data-testid="open-invite">
                <span class="line-mark"><Icon name="mail" /></span>
                <div class="line-main">
                  <p class="strong">{it.email ? <bdi>{it.email}</bdi> : words.anybody}</p>
                  <p class="faint">{roleNames[it.role]} · {words.until(formatMoment(it.expires_at))}</p>
                </div>
                <button type="button" class="button small" data-testid="invite-revoke" onClick={() => (revoking.value = it)}>{words.revoke}</button>
              </li>
            ))}
          </ul>
        </Section>
      )}
      {chosen && (
        <Confirm
          title={words.revokeTitle}
          lead={words.revokeLead}
          action={words.revoke}
          onConfirm={async () => {
            await session.request("DELETE", `/invites/${chosen.id}`);
            onRevoked(chosen.id);
          }}
          onClose={() => (revoking.value = null)}
          testid="revoke-invite"
        />
      )}
    </>
  );
}
