import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { components } from "../../../realtime/protocol/ts";
import { useDashboard } from "../context";
import { account as words } from "../text/en-account";
import { t } from "../text/en";
import { formatMoment } from "../text/format";
import { Confirm } from "../ui/confirm";
import { Icon } from "../ui/icons";
import { Section } from "../ui/section";
import { readAgent } from "./agent";

type OpenSession = components["schemas"]["OpenSession"];

/** Where somebody is signed in, the last used first. `ended` is another number where something else has ended some. */
export function SessionsSection({ ended }: { ended: number }) {
  const { session, notices } = useDashboard();
  const list = useSignal<readonly OpenSession[] | null>(null);
  const failed = useSignal(false);
  const leaving = useSignal<OpenSession | null>(null);
  const read = async (): Promise<void> => {
    failed.value = false;
    try {
      list.value = (await session.request<{ items: OpenSession[] }>("GET", "/me/sessions")).items;
    } catch {
      failed.value = true;
    }
  };
  useEffect(() => void read(), [ended]);

  const end = async (it: OpenSession): Promise<void> => {
    if (it.current) return session.logout();
    await session.request("DELETE", `/me/sessions/${it.id}`);
    list.value = list.peek()?.filter(({ id }) => id !== it.id) ?? null;
    notices.show(words.signedOut(nameOf(it)));
  };
  const chosen = leaving.value;
  return (
    <Section title={words.sessions} lead={words.sessionsLead} testid="sessions">
      {failed.value && <p class="banner bad" role="alert">{words.sessionsFailed} <button type="button" class="link" onClick={read}>{t.common.retry}</button></p>}
      {!list.value && !failed.value && <div class="boot-bar" role="status" aria-label={t.common.loading} />}
      {list.value && <ul class="lines">{list.value.map((it) => <Row key={it.id} it={it} onEnd={() => (leaving.value = it)} />)}</ul>}
      {chosen && (
        <Confirm
          title={chosen.current ? words.signOutHere : words.signOutTitle(nameOf(chosen))}
          lead={chosen.current ? words.signOutHereLead : words.signOutLead(detailOf(chosen))}
          action={words.signOut}
          onConfirm={() => end(chosen)}
          onClose={() => (leaving.value = null)}
          testid="end-session"
        />
      )}
    </Section>
  );
}

/** What tells it apart from another of the same browser. */
const detailOf = (it: OpenSession): string => words.from(it.current ? words.usedNow : words.used(formatMoment(it.used_at)), it.address);
const nameOf = (it: OpenSession): string => words.agent(readAgent(it.agent));

function Row({ it, onEnd }: { it: OpenSession; onEnd(): void }) {
  const name = nameOf(it);
  return (
    <li class="line" data-testid="session" data-current={it.current}>
      <span class="line-mark"><Icon name={readAgent(it.agent).mobile ? "phone" : "device"} /></span>
      <div class="line-main">
        {/* In full for who wants to know: versions tell two of the same kind apart. */}
        <p class="with-mark"><span class="strong" title={it.agent}>{name}</span>{it.current && <span class="mark good">{words.here}</span>}</p>
        <p class="faint">
          {it.address && <><bdi>{it.address}</bdi> · </>}
          {it.current ? words.usedNow : <time dateTime={it.used_at}>{words.used(formatMoment(it.used_at))}</time>}
        </p>
      </div>
      <button type="button" class="button small" aria-label={words.signOutOf(name, detailOf(it))} data-testid="session-end" onClick={onEnd}>{words.signOut}</button>
    </li>
  );
}
