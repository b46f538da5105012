import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { components } from "../../../realtime/protocol/ts";
import { useDashboard } from "../context";
import { useTitle } from "../entry/card";
import { audit as words } from "../text/en-team";
import { t } from "../text/en";
import { formatMoment } from "../text/format";
import { download } from "../ui/download";

type Entry = components["schemas"]["AuditEntry"];
type List = components["schemas"]["AuditList"];

/** The whole log may be long, on a slow line. */
const saveMs = 120_000;

/** Who did what. The log has ids alone; names are those of today's members and keys. */
export function AuditPage() {
  const { session, api, notices } = useDashboard();
  const entries = useSignal<readonly Entry[] | null>(null);
  const cursor = useSignal<string | null>(null);
  const failed = useSignal(false);
  const names = useSignal<ReadonlyMap<string, string>>(new Map());
  useTitle(words.title);
  const read = async (): Promise<void> => {
    failed.value = false;
    try {
      const page = await session.request<List>("GET", `/audit?limit=100${cursor.peek() ? `&cursor=${encodeURIComponent(cursor.peek() ?? "")}` : ""}`);
      entries.value = [...(entries.peek() ?? []), ...page.items];
      cursor.value = page.next_cursor;
    } catch {
      failed.value = true;
    }
  };
  useEffect(() => {
    void read();
    const keys = session.request<{ items: { id: string; name: string }[] }>("GET", "/api-keys?limit=200").then(({ items }) => items);
    void Promise.all([api.members(), keys]).then(([members, keys]) => void (names.value = new Map([...members, ...keys].map(({ id, name }) => [id, name]))), () => undefined);
  }, []);
  const save = async (): Promise<void> => {
    try {
      download(await (await session.stream("/audit/export", {}, AbortSignal.timeout(saveMs))).blob(), words.fileName);
    } catch {
      notices.show(words.saveFailed);
    }
  };
  return (
    <div class="page" data-testid="audit">
      <header class="page-head">
        <div><h1>{words.title}</h1><p class="lead">{words.lead}</p></div>
        <button type="button" class="button" data-testid="audit-save" onClick={() => void save()}>{words.save}</button>
      </header>
      {entries.value && (
        <div class="table-scroll" role="region" aria-label={words.title} tabIndex={0}>
          <table class="audit-table" role="table">
            <thead><tr role="row"><th scope="col" role="columnheader">{words.when}</th><th scope="col" role="columnheader">{words.who}</th><th scope="col" role="columnheader">{words.what}</th><th scope="col" role="columnheader">{words.where}</th></tr></thead>
            <tbody>{entries.value.map((it) => <Row key={it.n} it={it} names={names.value} />)}</tbody>
          </table>
        </div>
      )}
      {failed.value && <p class="banner bad" role="alert">{words.failed} <button type="button" class="link" onClick={read}>{t.common.retry}</button></p>}
      {!entries.value && !failed.value && <div class="boot-bar" role="status" aria-label={t.common.loading} />}
      {cursor.value && <p><button type="button" class="button" data-testid="audit-more" onClick={() => void read()}>{words.more}</button></p>}
    </div>
  );
}

function Row({ it, names }: { it: Entry; names: ReadonlyMap<string, string> }) {
  const about = it.object.id && it.object.kind !== "session" && it.object.id !== it.actor.id ? names.get(it.object.id) : undefined;
  const detail = Object.values(it.detail).join(" → ");
  return (
    // The roles stay where a narrow screen makes cards of the lines.
    <tr role="row" data-testid="audit-line" data-action={it.action}>
      <td role="cell"><time dateTime={it.at}>{formatMoment(it.at)}</time></td>
      <td role="cell"><bdi>{actor(it, names)}</bdi></td>
      <td role="cell">{words.action[it.action]}{about && <>: <bdi>{about}</bdi></>}{detail && <span class="faint"> · {detail}</span>}</td>
      <td role="cell" class="faint"><bdi>{it.actor.address ?? ""}</bdi></td>
    </tr>
  );
}

function actor({ actor: { kind, id } }: Entry, names: ReadonlyMap<string, string>): string {
  switch (kind) {
    case "user":
      return names.get(id ?? "") ?? words.former;
    case "api_key":
      return names.get(id ?? "") ?? words.formerKey;
    default:
      return words.actor[kind];
  }
}
