import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { useDashboard } from "../context";
import type { Block } from "../session/types";
import { t } from "../text/en";
import { visitors as words } from "../text/en-visitors";
import { formatMoment } from "../text/format";
import { Confirm } from "../ui/confirm";
import { Choice } from "../ui/field";
import { useForm } from "../ui/form";
import { Icon, type IconName } from "../ui/icons";
import { Section } from "../ui/section";

interface BlockList {
  items: Block[];
  next_cursor: string | null;
}

const days = { week: 7, month: 30, always: 0 } as const;
const marks: Record<Block["kind"], IconName> = { word: "quarantine", session: "device", address: "link" };

/** Who and what is held back. Staff see it; owners and admins change it. */
export function Blocks({ projectId }: { projectId: string }) {
  const { session, workspace, notices } = useDashboard();
  const blocks = useSignal<readonly Block[] | null>(null);
  const cursor = useSignal<string | null>(null);
  const failed = useSignal(false);
  const lifting = useSignal<Block | null>(null);
  const read = async (): Promise<void> => {
    failed.value = false;
    try {
      const page = await session.request<BlockList>("GET", `/projects/${projectId}/blocks?limit=50${cursor.peek() ? `&cursor=${encodeURIComponent(cursor.peek() ?? "")}` : ""}`);
      blocks.value = [...(blocks.peek() ?? []), ...page.items];
      cursor.value = page.next_cursor;
    } catch {
      failed.value = true;
    }
  };
  useEffect(() => void read(), []);
  const chosen = lifting.value;
  const manages = workspace.canManage.value;
  return (
    <Section title={words.blocks} lead={words.blocksLead} testid="blocks">
      {manages && <NewWord projectId={projectId} onMade={(made) => (blocks.value = [made, ...(blocks.peek() ?? [])])} />}
      {blocks.value?.length === 0 && <p class="faint" data-testid="no-blocks">{words.blocksNone}</p>}
      {blocks.value && blocks.value.length > 0 && (
        <ul class="lines">
          {blocks.value.map((it) => <Line key={it.id} it={it} onLift={manages ? () => (lifting.value = it) : null} />)}
        </ul>
      )}
      {failed.value && <p class="banner bad" role="alert">{words.blocksFailed} <button type="button" class="link" onClick={read}>{t.common.retry}</button></p>}
      {cursor.value && <p><button type="button" class="button" onClick={() => void read()}>{words.more}</button></p>}
      {chosen && (
        <Confirm
          title={words.liftTitle}
          lead={words.liftLead}
          action={words.lift}
          onConfirm={async () => {
            await session.request("DELETE", `/blocks/${chosen.id}`);
            blocks.value = blocks.peek()?.filter(({ id }) => id !== chosen.id) ?? null;
            notices.show(words.lifted);
          }}
          onClose={() => (lifting.value = null)}
          testid="lift"
        />
      )}
    </Section>
  );
}

/** What a block is, as far as it may be shown: of an address nothing is kept that could be. */
function Line({ it, onLift }: { it: Block; onLift: (() => void) | null }) {
  const { workspace } = useDashboard();
  const ended = it.expires_at !== null && new Date(it.expires_at).getTime() < Date.now();
  const label = it.kind === "word" ? it.label : it.kind === "address" ? it.label || words.address : words.session;
  return (
    <li class="line" data-testid="block-line" data-kind={it.kind}>
      <span class="line-mark"><Icon name={marks[it.kind]} /></span>
      <div class="line-main">
        <p class="with-mark"><bdi class="strong">{label}</bdi><span class="mark">{words.kind[it.kind]}</span></p>
        {it.note && <p class="faint"><bdi>{it.note}</bdi></p>}
        <p class="faint">
          {words.by(workspace.memberName(it.created_by), formatMoment(it.created_at))} · {ended ? words.over : it.expires_at ? words.until(formatMoment(it.expires_at)) : words.always}
        </p>
      </div>
      {onLift && <button type="button" class="button small" data-testid="block-lift" onClick={onLift}>{words.lift}<span class="visually-hidden"> {label}</span></button>}
    </li>
  );
}

function NewWord({ projectId, onMade }: { projectId: string; onMade(block: Block): void }) {
  const { api } = useDashboard();
  const span = useSignal<keyof typeof days>("always");
  const { form, field, busy, failure, clear } = useForm({ word: "" }, {
    async send({ word }) {
      const count = days[span.peek()];
      onMade(await api.createBlock(projectId, { kind: "word", word, ...(count > 0 && { expires_at: new Date(Date.now() + count * 86_400_000).toISOString() }) }));
      clear();
    },
  });
  return (
    <form class="part-form" {...form} data-testid="new-word">
      {field("word", { label: words.word, hint: words.wordHint, minLength: 3, maxLength: 200, autocomplete: "off" })}
      <Choice legend={words.span} name="word-span" value={span.value} options={words.spans} onPick={(value) => (span.value = value)} />
      {failure}
      <div><button type="submit" class="button primary" aria-disabled={busy} data-testid="word-block">{words.block}</button></div>
    </form>
  );
}
