import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { useDashboard } from "../context";
import { explainEntry } from "../entry/explain";
import { Problem } from "../session/problem";
import type { ErasureReport } from "../session/types";
import { t } from "../text/en";
import { visitors as words } from "../text/en-visitors";
import { Dialog } from "../ui/dialog";
import { useForm } from "../ui/form";
import { Section } from "../ui/section";

/** Whose feedback: one e-mail address's, or one browser's. */
export type Whose = { email: string } | { session_id: string };

interface EraseVisitorProps {
  projectId: string;
  of: Whose;
  onClose(): void;
}

/** What would go, then the deed, then what went. */
export function EraseVisitor({ projectId, of, onClose }: EraseVisitorProps) {
  const { session, notices } = useDashboard();
  const found = useSignal<ErasureReport | null>(null);
  const unknown = useSignal(false);
  const failure = useSignal("");
  const busy = useSignal(false);
  const ask = async (dry_run: boolean): Promise<void> => {
    if (busy.value) return;
    busy.value = true;
    failure.value = "";
    try {
      found.value = await session.request<ErasureReport>("POST", `/projects/${projectId}/erasures`, { ...of, dry_run });
      // Said here as well: where an item of theirs was open, this goes away together with it.
      if (!dry_run) notices.show(words.gone(found.value.items));
    } catch (cause) {
      if (cause instanceof Problem && cause.code === "not_found") unknown.value = true;
      else failure.value = explainEntry(cause);
    } finally {
      busy.value = false;
    }
  };
  useEffect(() => void ask(true), []);
  const report = found.value;
  const done = report !== null && !report.dry_run;
  const nothing = unknown.value || (report !== null && report.items === 0 && report.sessions === 0);
  return (
    <Dialog title={done ? words.erasedTitle : words.eraseTitle} onClose={onClose} testid="erase-visitor">
      <div class="dialog-text" role="status">
        {!report && !nothing && !failure.value && t.common.loading}
        {nothing && words.eraseNone}
        {report && !nothing && (
          <>
            <p>{done ? words.erasedLead : words.eraseLead}</p>
            <Counts report={report} />
            {!done && <p class="faint">{words.eraseKept}</p>}
          </>
        )}
      </div>
      {failure.value && <p class="banner bad dialog-note-text" role="alert">{failure.value}</p>}
      <footer class="dialog-foot">
        <button type="button" class="button" onClick={onClose}>{done || nothing ? t.common.close : t.common.cancel}</button>
        {report && !done && !nothing && (
          <button type="button" class="button danger" aria-disabled={busy.value} data-testid="erase-visitor-confirm" onClick={() => void ask(false)}>{words.erase(report.items)}</button>
        )}
      </footer>
    </Dialog>
  );
}

function Counts({ report }: { report: ErasureReport }) {
  const kinds = Object.keys(words.counts) as (keyof typeof words.counts)[];
  return (
    <ul class="bullets" data-testid="erase-counts">
      {kinds.filter((kind) => report[kind] > 0).map((kind) => <li key={kind}>{words.counts[kind](report[kind])}</li>)}
    </ul>
  );
}

/** By e-mail address; of one browser it begins at an item. */
export function Erasing({ projectId }: { projectId: string }) {
  const of = useSignal<Whose | null>(null);
  const { form, field, busy, failure } = useForm({ email: "" }, {
    send: ({ email }) => Promise.resolve(void (of.value = { email })),
  });
  return (
    <Section title={words.erasing} lead={words.erasingLead} testid="erasing">
      <form class="part-form" {...form}>
        {field("email", { label: words.email, hint: words.emailHint, type: "email", autocomplete: "off", maxLength: 254 })}
        {failure}
        <div><button type="submit" class="button" aria-disabled={busy} data-testid="erase-look">{words.look}</button></div>
      </form>
      {of.value && <EraseVisitor projectId={projectId} of={of.value} onClose={() => (of.value = null)} />}
    </Section>
  );
}
