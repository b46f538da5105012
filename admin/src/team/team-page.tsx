import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { components } from "../../../realtime/protocol/ts";
import { useDashboard } from "../context";
import { useTitle } from "../entry/card";
import { explainEntry } from "../entry/explain";
import type { Member, Role } from "../session/types";
import { roleLines, roleNames, roles } from "../text/en-roles";
import { team as words } from "../text/en-team";
import { t } from "../text/en";
import { formatMoment } from "../text/format";
import { Icon } from "../ui/icons";
import { Section } from "../ui/section";
import { InviteSection, type Invite } from "./invite-section";
import { RemoveMember } from "./remove-member";

type Created = components["schemas"]["CreatedInvite"];

/** Owners change everybody, admins those below an owner; the server says the last word. */
const above = (mine: Role, other: Role): boolean => mine === "owner" || (mine === "admin" && other !== "owner");

/** Who belongs to the organisation, and who was invited. */
export function TeamPage() {
  const { workspace, session, api, notices } = useDashboard();
  const members = useSignal<readonly Member[] | null>(null);
  const invites = useSignal<readonly Invite[]>([]);
  const failed = useSignal(false);
  const leaving = useSignal<Member | null>(null);
  const me = workspace.me.value;
  const manages = workspace.canManage.value;
  useTitle(words.title);
  const read = async (): Promise<void> => {
    failed.value = false;
    try {
      members.value = await api.members();
      if (workspace.canManage.peek()) invites.value = (await session.request<{ items: Invite[] }>("GET", "/invites?limit=200")).items;
    } catch {
      failed.value = true;
    }
  };
  useEffect(() => void read(), []);

  const changeRole = async (member: Member, role: Role): Promise<void> => {
    try {
      const changed = await session.request<Member>("PATCH", `/members/${member.id}`, { role });
      members.value = members.peek()?.map((it) => (it.id === changed.id ? changed : it)) ?? null;
      notices.show(words.roleChanged(changed.name, role));
    } catch (cause) {
      // Drawn anew, so that what was picked does not stand there as if it were so.
      members.value = [...(members.peek() ?? [])];
      notices.show(`${words.roleFailed} ${explainEntry(cause)}`);
    }
  };
  const removed = (member: Member): void => {
    if (member.id === me?.user.id) return void session.logout().catch(() => undefined);
    members.value = members.peek()?.filter(({ id }) => id !== member.id) ?? null;
    notices.show(words.removed(member.name));
  };
  const chosen = leaving.value;
  return (
    <div class="page" data-testid="team">
      <header class="page-head"><div><h1>{words.title}</h1>{me && <p class="lead">{words.lead(me.organization.name)}</p>}</div></header>
      {failed.value && <p class="banner bad" role="alert">{words.failed} <button type="button" class="link" onClick={read}>{t.common.retry}</button></p>}
      {!members.value && !failed.value && <div class="boot-bar" role="status" aria-label={t.common.loading} />}
      {members.value && (
        <Section title={words.members} lead={words.membersLead(members.value.length)} testid="members">
          <ul class="lines">
            {members.value.map((it) => (
              <Row key={it.id} it={it} mine={it.id === me?.user.id} may={manages && above(me?.role ?? "viewer", it.role)} rank={me?.role ?? "viewer"} onRole={(role) => void changeRole(it, role)} onRemove={() => (leaving.value = it)} />
            ))}
          </ul>
          <dl class="role-lines">{roles.map((role) => <div key={role}><dt>{roleNames[role]}</dt><dd class="faint">{roleLines[role]}</dd></div>)}</dl>
        </Section>
      )}
      {manages && <InviteSection rank={me?.role ?? "viewer"} invites={invites.value} onMade={(made: Created) => (invites.value = [made, ...invites.peek().filter(({ email }) => !email || email !== made.email)])} onRevoked={(id) => (invites.value = invites.peek().filter((it) => it.id !== id))} />}
      {chosen && <RemoveMember member={chosen} own={chosen.id === me?.user.id} manages={manages} onRemoved={() => removed(chosen)} onClose={() => (leaving.value = null)} />}
    </div>
  );
}

interface RowProps {
  it: Member;
  mine: boolean;
  may: boolean;
  rank: Role;
  onRole(role: Role): void;
  onRemove(): void;
}

function Row({ it, mine, may, rank, onRole, onRemove }: RowProps) {
  return (
    <li class="line" data-testid="member" data-role={it.role}>
      <span class="line-mark"><Icon name="user" /></span>
      <div class="line-main">
        <p class="with-mark"><bdi class="strong">{it.name}</bdi>{mine && <span class="mark">{words.you}</span>}{it.second_factor && <span class="mark good">{words.factor}</span>}</p>
        <p class="faint"><bdi>{it.email}</bdi> · <time dateTime={it.joined_at}>{words.joined(formatMoment(it.joined_at))}</time></p>
      </div>
      {may ? (
        <select class="input role-select" aria-label={words.role(it.name)} value={it.role} data-testid="role" onChange={(event) => onRole(event.currentTarget.value as Role)}>
          {roles.filter((role) => above(rank, role)).map((role) => <option key={role} value={role}>{roleNames[role]}</option>)}
        </select>
      ) : (
        <span class="faint">{roleNames[it.role]}</span>
      )}
      {(may || mine) && <button type="button" class="button small" data-testid="member-remove" onClick={onRemove}>{mine ? words.leave : words.remove}</button>}
    </li>
  );
}
