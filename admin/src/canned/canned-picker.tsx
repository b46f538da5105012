import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { useDashboard } from "../context";
import type { CannedReply } from "../session/types";
import { t } from "../text/en";
import { isolate } from "../text/isolate";
import { Picker } from "../triage/picker";
import { Dialog } from "../ui/dialog";
import { TextField } from "../ui/field";
import { Icon } from "../ui/icons";
import { explain } from "../workspace";

interface CannedPickerProps {
  projectId: string;
  /** What is written so far: it can be kept. */
  draft: string;
  onPick(body: string): void;
  onClose(): void;
}

type Choice = { use: CannedReply } | { keep: string } | "manage";

/** Answers that are given again and again: one is put in, or what is written is kept as one. */
export function CannedPicker({ projectId, draft, onPick, onClose }: CannedPickerProps) {
  const { api, notices } = useDashboard();
  const replies = useSignal<readonly CannedReply[]>([]);
  const managing = useSignal(false);
  const read = (): Promise<void> => api.cannedReplies(projectId).then((list) => void (replies.value = list), () => notices.show(t.canned.failed, "bad"));
  useEffect(() => void read(), []);
  if (managing.value) return <Manager replies={replies.value} onChanged={read} onClose={onClose} />;
  const pick = (choice: Choice): void => {
    if (choice === "manage") {
      managing.value = true;
      return;
    }
    onClose();
    if ("use" in choice) onPick(choice.use.body);
    else void api.createCannedReply(projectId, { name: choice.keep, body: draft }).then(() => notices.show(t.canned.kept), (error: unknown) => notices.show(`${t.canned.keepFailed} ${explain(error)}`, "bad"));
  };
  return (
    <Picker<Choice>
      title={t.canned.title}
      placeholder={t.canned.find}
      options={[
        ...replies.value.map((reply) => ({ value: { use: reply }, label: reply.name, hint: reply.body.slice(0, 80), face: <Icon name="reply" />, chosen: "no" as const })),
        ...(replies.value.length > 0 ? [{ value: "manage" as const, label: t.canned.manage, face: <Icon name="settings" />, chosen: "no" as const }] : []),
      ]}
      create={draft.trim() ? (typed) => ({ value: { keep: typed }, label: typed, chosen: "no" }) : undefined}
      made={t.canned.keep}
      empty={t.canned.none}
      stays
      onPick={pick}
      onClose={onClose}
      testid="canned"
    />
  );
}

/** Changes and deletes them. */
function Manager({ replies, onChanged, onClose }: { replies: readonly CannedReply[]; onChanged(): Promise<void>; onClose(): void }) {
  const { api, notices } = useDashboard();
  const editing = useSignal<CannedReply | null>(null);
  const failed = useSignal("");
  const one = editing.value;
  const save = async (event: Event): Promise<void> => {
    event.preventDefault();
    if (!one) return;
    try {
      await api.updateCannedReply(one.id, { name: one.name, body: one.body, rev: one.rev });
      editing.value = null;
      await onChanged();
    } catch (error) {
      failed.value = explain(error);
    }
  };
  const remove = (reply: CannedReply): void =>
    void api.deleteCannedReply(reply.id).then(onChanged).then(() => notices.show(t.canned.removed), (error: unknown) => notices.show(explain(error), "bad"));
  return (
    <Dialog title={t.canned.manageTitle} onClose={onClose} testid="canned-manager">
      {one ? (
        <form class="dialog-form" onSubmit={save}>
          <TextField label={t.canned.name} value={one.name} onInput={(name) => (editing.value = { ...one, name })} />
          <label class="field">
            <span>{t.canned.body}</span>
            <textarea class="input" rows={8} dir="auto" value={one.body} onInput={(event) => (editing.value = { ...one, body: event.currentTarget.value })} />
          </label>
          <p class="hint">{t.canned.hint}</p>
          {failed.value && <p class="banner bad" role="alert">{failed.value}</p>}
          <footer class="dialog-foot">
            <button type="button" class="button" onClick={() => (editing.value = null)}>{t.canned.back}</button>
            <button class="button primary">{t.common.save}</button>
          </footer>
        </form>
      ) : (
        <>
          <ul class="canned-list">
            {replies.map((reply) => (
              <li key={reply.id}>
                <bdi class="cut">{reply.name}</bdi>
                <button type="button" class="button small" onClick={() => { failed.value = ""; editing.value = reply; }}>{t.canned.edit}<span class="visually-hidden"> {reply.name}</span></button>
                <button type="button" class="icon-button" aria-label={`${t.canned.remove}: ${isolate(reply.name)}`} onClick={() => remove(reply)}><Icon name="trash" /></button>
              </li>
            ))}
          </ul>
          <footer class="dialog-foot"><button type="button" class="button" onClick={onClose}>{t.common.close}</button></footer>
        </>
      )}
    </Dialog>
  );
}
