import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { components } from "../../../realtime/protocol/ts";
import { useDashboard } from "../context";
import { linkToken, loginHref, navigate } from "../router";
import { Problem } from "../session/problem";
import { t } from "../text/en";
import { entry, join as words } from "../text/en-entry";
import { formatDay } from "../text/format";
import { useForm } from "../ui/form";
import { EntryCard } from "./card";
import { explainEntry } from "./explain";

type Schemas = components["schemas"];
type OpenInvite = Schemas["OpenInvite"];

type State = { name: "loading" } | { name: "bad" } | { name: "failed"; why: string } | { name: "open"; invite: OpenInvite };

/** Where an invitation leads to: an account is made for it, or the one that somebody has joins with it. */
export function JoinPage() {
  const token = linkToken("join");
  return <Join key={token} token={token} />;
}

function Join({ token }: { token: string }) {
  const { session } = useDashboard();
  const state = useSignal<State>(token ? { name: "loading" } : { name: "bad" });
  const look = async (): Promise<void> => {
    try {
      state.value = { name: "open", invite: await session.ask<OpenInvite>("/auth/invites/show", { token }) };
    } catch (cause) {
      const bad = cause instanceof Problem && cause.status === 401;
      state.value = bad ? { name: "bad" } : { name: "failed", why: `${words.failed} ${explainEntry(cause)}` };
    }
  };
  useEffect(() => {
    if (token) void look();
  }, []);

  const signedIn = session.signedIn.value;
  const now = state.value;
  switch (now.name) {
    case "loading":
      return <EntryCard title={words.loading} testid="join-loading"><div class="boot-bar" role="status" aria-label={t.common.loading} /></EntryCard>;
    case "bad":
      return (
        <EntryCard title={words.bad} lead={words.badLead} testid="join-bad">
          <a class="button primary block" href={signedIn ? "/" : "/login"}>{signedIn ? entry.toDashboard : entry.toLogin}</a>
        </EntryCard>
      );
    case "failed":
      return (
        <EntryCard title={words.loading} testid="join-failed">
          <p class="banner bad" role="alert">{now.why}</p>
          <button type="button" class="button primary block" onClick={look}>{t.common.retry}</button>
        </EntryCard>
      );
    case "open":
      return signedIn ? <WithAccount token={token} invite={now.invite} /> : <WithoutAccount token={token} invite={now.invite} />;
  }
}

function Lead({ invite }: { invite: OpenInvite }) {
  return <>{words.role(invite.role)} <span class="nowrap">{words.until(formatDay(invite.expires_at))}</span></>;
}

/** Somebody is signed in. The session moves over, and with it the whole dashboard. */
function WithAccount({ token, invite }: { token: string; invite: OpenInvite }) {
  const { session, workspace, notices } = useDashboard();
  const busy = useSignal(false);
  const failure = useSignal("");
  const me = workspace.me.value?.user;
  const accept = async (): Promise<void> => {
    if (busy.value) return;
    busy.value = true;
    failure.value = "";
    try {
      const { organization_id } = await session.request<Schemas["Accepted"]>("POST", "/invites/accept", { token });
      await session.move(organization_id);
    } catch (cause) {
      const member = cause instanceof Problem && cause.code === "conflict";
      failure.value = member ? words.already : explainEntry(cause);
      busy.value = false;
    }
  };
  const leave = (): void => void session.logout().catch((cause: unknown) => notices.show(explainEntry(cause), "bad"));
  return (
    <EntryCard title={words.title(invite.organization)} lead={<Lead invite={invite} />} testid="join">
      {failure.value && <p class="banner bad" role="alert" data-testid="form-failure">{failure.value}</p>}
      {me ? (
        <button type="button" class="button primary block" aria-disabled={busy.value} data-testid="join-accept" onClick={accept}>
          <bdi class="cut">{busy.value ? words.busy : words.as(me.email)}</bdi>
        </button>
      ) : (
        <div class="boot-bar" role="status" aria-label={t.common.loading} />
      )}
      <div class="card-foot">
        <button type="button" class="link" data-testid="join-other" onClick={leave}>{words.other}</button>
        <a href="/">{entry.toDashboard}</a>
      </div>
    </EntryCard>
  );
}

function WithoutAccount({ token, invite }: { token: string; invite: OpenInvite }) {
  const { session } = useDashboard();
  const { form, field, failure, busy } = useForm({ name: "", email: invite.email ?? "", password: "" }, {
    focus: true,
    async send(fields) {
      await session.join({ token, ...fields, email: fields.email.trim() });
      navigate("/", { replace: true });
    },
  });
  return (
    <EntryCard title={words.title(invite.organization)} lead={<Lead invite={invite} />} testid="join">
      <form class="card-form" {...form}>
        {field("name", { label: words.name, autocomplete: "name", maxLength: 200 })}
        {field("email", { label: words.email, type: "email", autocomplete: "username", ...(invite.email ? { readOnly: true, hint: words.emailHint } : {}) })}
        {field("password", { label: words.password, hint: entry.passwordHint, type: "password", autocomplete: "new-password", minLength: 12 })}
        {failure}
        <button type="submit" class="button primary block" aria-disabled={busy}>{busy ? words.busy : words.submit}</button>
      </form>
      <p class="hint">{words.have} <a href={loginHref("/join")} data-testid="join-sign-in">{words.signIn}</a></p>
    </EntryCard>
  );
}
