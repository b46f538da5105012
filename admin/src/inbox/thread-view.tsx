import { useSignal } from "@preact/signals";
import type { RefObject } from "preact";
import { useDashboard } from "../context";
import type { Message } from "../session/types";
import { t } from "../text/en";
import { useMinute } from "../ui/minute";
import type { Composing } from "./composing";
import type { Conversation } from "./conversation";
import { Known, Pending } from "./message";
import { DeleteNote, Note, NoteBox } from "./note";

interface ThreadProps {
  conversation: Conversation;
  feedbackId: string;
  /** What the visitor is called where a message does not say. */
  visitor: string;
  /** Null for who may only read. */
  composing: Composing | null;
  field: RefObject<HTMLTextAreaElement | null>;
}

/** What was said about an item since: answers of both sides and notes, in the order of time, and what is on its way. */
export function ThreadView({ conversation, feedbackId, visitor, composing, field }: ThreadProps) {
  const { workspace } = useDashboard();
  const editing = useSignal<Message | null>(null);
  const deleting = useSignal<Message | null>(null);
  const now = useMinute();
  const { items, cursor } = conversation.thread.value;
  // A note whose text is still to come has nothing to show yet.
  const shown = items.filter(({ body }) => body);
  const outgoing = conversation.outgoing.value.filter((message) => message.feedbackId === feedbackId);
  const edited = editing.value;
  const lost = edited && !items.some(({ id }) => id === edited.id) ? edited : null;
  const takeBack = (id: string): void => {
    const message = conversation.take(id);
    if (!message || !composing) return;
    composing.address(message.visibility);
    // Before what is being written by now: it is the older of the two.
    composing.write([message.body, composing.body.peek()].filter((text) => text.trim()).join("\n\n"));
    field.current?.focus();
  };
  return (
    <>
      <ThreadStart conversation={conversation} cursor={cursor} empty={shown.length + outgoing.length === 0} />
      {(shown.length > 0 || outgoing.length > 0 || lost) && (
        <ol class="thread" aria-label={t.conversation.title} data-testid="thread">
          {shown.map((message) =>
            message.visibility === "internal" ? (
              <Note key={message.id} note={message} now={now} conversation={conversation} editing={editing} deleting={deleting} />
            ) : (
              <Known key={message.id} message={message} visitor={visitor} now={now} />
            ),
          )}
          {lost && <Known key={lost.id} message={lost} visitor="" now={now}><NoteBox present={null} conversation={conversation} editing={editing} /></Known>}
          {outgoing.map((message) => (
            <Pending
              key={message.id}
              message={message}
              me={workspace.me.value?.user.name ?? ""}
              now={now}
              onRetry={() => conversation.retry(message.id)}
              onTake={() => takeBack(message.id)}
            />
          ))}
        </ol>
      )}
      <DeleteNote conversation={conversation} deleting={deleting} />
    </>
  );
}

/** What stands between the feedback and the messages: what is older, what could not be read, or that it is being read. */
function ThreadStart({ conversation, cursor, empty }: { conversation: Conversation; cursor: string | null; empty: boolean }) {
  const { load, older } = conversation;
  if (load.value === "failed") {
    return (
      <p class="thread-more" role="alert">
        {t.conversation.failed}{" "}
        <button type="button" class="link" data-testid="thread-retry" onClick={() => conversation.again()}>{t.common.retry}</button>
      </p>
    );
  }
  // A quiet read of what is on screen already needs no sign.
  if (load.value === "loading" && empty) return <div class="boot-bar" role="status" aria-label={t.common.loading} />;
  if (!cursor) return null;
  return (
    <p class="thread-more">
      {older.value === "failed" && <span role="alert">{t.conversation.olderFailed} </span>}
      <button type="button" class="button small" data-testid="older" aria-disabled={older.value === "loading"} onClick={() => conversation.loadOlder()}>
        {older.value === "failed" ? t.common.retry : t.conversation.older}
      </button>
    </p>
  );
}
