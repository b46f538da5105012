import { useSignal, type Signal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { useDashboard } from "../context";
import type { Message } from "../session/types";
import { t } from "../text/en";
import { Dialog } from "../ui/dialog";
import { Icon } from "../ui/icons";
import { UserText } from "../ui/linkify";
import { writingKeys } from "../ui/writing-keys";
import { explain } from "../workspace";
import { tooLong } from "./composing";
import type { Conversation } from "./conversation";
import { Known } from "./message";

/** The note that is being changed, as it was when that began; null: none is. */
export type Chosen = Signal<Message | null>;

interface NoteProps {
  note: Message;
  now: number;
  conversation: Conversation;
  editing: Chosen;
  deleting: Chosen;
}

/** A note, with what its reader may do: authors edit and delete their own, who manages may delete any. */
export function Note({ note, now, conversation, editing, deleting }: NoteProps) {
  const { workspace } = useDashboard();
  const pencil = useRef<HTMLButtonElement>(null);
  const mine = note.author.user_id === workspace.me.value?.user.id && workspace.canTriage.value;
  const open = editing.value?.id === note.id;
  const was = useRef(open);
  useEffect(() => {
    // Back to where the editing was begun, or the focus would be lost with the box.
    if (was.current && !open) pencil.current?.focus();
    was.current = open;
  }, [open]);
  const tools = (mine || workspace.canManage.value) && !open && (
    <span class="entry-tools">
      {mine && (
        <button ref={pencil} type="button" class="icon-button" aria-label={t.conversation.edit} title={t.conversation.edit} data-testid="note-edit" onClick={() => (editing.value = note)}>
          <Icon name="pencil" />
        </button>
      )}
      <button type="button" class="icon-button" aria-label={t.conversation.remove} title={t.conversation.remove} data-testid="note-delete" onClick={() => (deleting.value = note)}>
        <Icon name="trash" />
      </button>
    </span>
  );
  return (
    <Known message={note} visitor="" now={now} tools={tools}>
      {open ? <NoteBox present={note} conversation={conversation} editing={editing} /> : undefined}
    </Known>
  );
}

/** `present`: the note as it is now; null where it was deleted while somebody was changing it here. */
export function NoteBox({ present, conversation, editing }: { present: Message | null; conversation: Conversation; editing: Chosen }) {
  const box = useRef<HTMLTextAreaElement>(null);
  const began = editing.value;
  const text = useSignal(began?.body ?? "");
  const saving = useSignal(false);
  const refused = useSignal<string | null>(null);
  useEffect(() => {
    box.current?.focus();
    box.current?.setSelectionRange(text.peek().length, text.peek().length);
  }, []);
  if (!began) return null;
  const close = (): void => void (editing.value = null);
  const changed = present !== null && present.rev > began.rev;

  const save = async (): Promise<void> => {
    if (saving.peek() || !text.peek().trim() || tooLong(text.peek())) return;
    if (!present) {
      conversation.send(began.feedback_id, "internal", text.peek());
      return close();
    }
    if (text.peek().trim() === present.body) return close();
    saving.value = true;
    // Made upon what is shown: where somebody else's change is among it, this writes over it knowingly.
    const outcome = await conversation.editNote(present, text.peek());
    saving.value = false;
    refused.value = typeof outcome === "object" ? explain(outcome.error) : null;
    if (outcome === "done") close();
  };
  const words = present ? (changed ? t.conversation.saveOver : t.conversation.save) : t.conversation.addAgain;
  return (
    <div class="note-box">
      {(changed || !present) && (
        <div class="note-conflict" role="alert" data-testid="note-conflict">
          <p class="strong">{present ? t.conversation.editConflict : t.conversation.editGone}</p>
          {present && <UserText text={present.body} class="note-theirs" />}
        </div>
      )}
      {refused.value && <p class="field-error" role="alert">{refused.value}</p>}
      <textarea
        ref={box}
        class="input"
        dir="auto"
        rows={3}
        aria-label={t.conversation.edit}
        data-testid="note-text"
        value={text.value}
        onInput={(event) => (text.value = event.currentTarget.value)}
        onKeyDown={writingKeys(() => void save(), close)}
      />
      <div class="note-foot">
        <button type="button" class="button small" onClick={close}>{t.common.cancel}</button>
        <button type="button" class="button small primary" data-testid="note-save" aria-disabled={saving.value} onClick={save}>{words}</button>
      </div>
    </div>
  );
}

/** Asks first: nothing brings a deleted note back. */
export function DeleteNote({ conversation, deleting }: { conversation: Conversation; deleting: Chosen }) {
  const { notices } = useDashboard();
  const note = deleting.value;
  if (!note) return null;
  const close = (): void => void (deleting.value = null);
  const remove = async (): Promise<void> => {
    close();
    const outcome = await conversation.deleteNote(note);
    if (outcome === "conflict") notices.show(t.conversation.deleteConflict, "bad");
    else if (typeof outcome === "object") notices.show(explain(outcome.error), "bad");
    // The button that opened the dialog went with the note.
    if (document.activeElement === document.body) document.querySelector<HTMLElement>(".detail-pane")?.focus();
  };
  return (
    <Dialog title={t.conversation.deleteTitle} onClose={close} testid="note-dialog">
      <p class="dialog-text">{t.conversation.deleteLead}</p>
      <footer class="dialog-foot">
        <button type="button" class="button" onClick={close}>{t.common.cancel}</button>
        <button type="button" class="button danger" data-testid="note-delete-confirm" onClick={remove}>{t.conversation.remove}</button>
      </footer>
    </Dialog>
  );
}
