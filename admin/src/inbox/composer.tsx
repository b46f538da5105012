import { useSignal } from "@preact/signals";
import type { RefObject } from "preact";
import { useEffect, useId } from "preact/hooks";
import { useDashboard } from "../context";
import type { Viewer } from "../live/presence";
import type { Visibility } from "../session/types";
import { pages } from "../shell/pages";
import { t } from "../text/en";
import { formatCount } from "../text/format";
import { Dialog } from "../ui/dialog";
import { Icon } from "../ui/icons";
import { useMinute } from "../ui/minute";
import { writingKeys } from "../ui/writing-keys";
import { maxBody, tooLong, type Composing } from "./composing";
import { Known } from "./message";
import { TypingLine } from "./viewers";

interface ComposerProps {
  field: RefObject<HTMLTextAreaElement | null>;
  composing: Composing;
  viewers: readonly Viewer[];
  visitor: string;
  projectId: string;
  /** Fills in what a canned reply leaves open. */
  fill(body: string): string;
  /** A message went out: the page shows where it is. */
  onSent(): void;
}

/** From here on it is worth knowing how much is left. */
const countFrom = maxBody - 500;

/** Where answers and notes are written. It differs in colour, icon and words by whom the text is for. */
export function Composer({ field: box, composing, viewers, visitor, projectId, fill, onSent }: ComposerProps) {
  const live = useDashboard().live();
  const hint = useId();
  const body = composing.body.value;
  const note = composing.visibility.value === "internal";
  // Leaving the item is leaving the answer, too.
  useEffect(() => () => live.viewing.rested(), []);

  const canning = useSignal(false);
  const write = (text: string): void => {
    // The first character of an answer: nobody begins one so.
    if (text === "/" && !composing.body.peek()) return void (canning.value = true);
    composing.write(text);
    // The visitor is told of it as well, so a note, which is not for them, is typed in silence.
    if (text.trim() && composing.visibility.peek() === "public") live.viewing.typed();
    else live.viewing.rested();
  };
  /** Where the caret is; a text that is there already stays. */
  const insert = (text: string): void => {
    const field = box.current;
    const at = field?.selectionStart ?? body.length;
    const end = field?.selectionEnd ?? at;
    write(body.slice(0, at) + fill(text) + body.slice(end));
    field?.focus();
  };
  const sent = (): void => {
    live.viewing.rested();
    box.current?.focus();
    onSent();
  };
  const send = (): void => void (composing.send() && sent());
  // To the pane, where single keys are keys again. The item stays open, and the text where it is.
  const keyed = writingKeys(send, () => box.current?.closest<HTMLElement>("[data-keys]")?.focus());

  return (
    <>
      <form class={note ? "composer for-note" : "composer"} aria-label={t.conversation.write} data-testid="composer" onSubmit={(event) => { event.preventDefault(); send(); }}>
        <div class="composer-head">
          <button type="button" class="icon-button" aria-label={t.canned.open} title={t.canned.open} data-testid="canned-open" onClick={() => (canning.value = true)}><Icon name="canned" /></button>
          <Switch composing={composing} onPick={() => { live.viewing.rested(); box.current?.focus(); }} />
          <TypingLine viewers={viewers} />
        </div>
        <textarea
          ref={box}
          class="input composer-text"
          dir="auto"
          rows={2}
          value={body}
          placeholder={note ? t.conversation.notePlaceholder : t.conversation.replyPlaceholder}
          aria-label={note ? t.conversation.noteText : t.conversation.replyText}
          aria-describedby={hint}
          aria-invalid={tooLong(body)}
          aria-keyshortcuts="Control+Enter Meta+Enter"
            data-testid="composer-text"
          onInput={(event) => write(event.currentTarget.value)}
          onKeyDown={keyed}
          onBlur={() => live.viewing.rested()}
        />
        <div class="composer-foot">
          <p class="hint" id={hint}>
            {body.length > countFrom ? <Left body={body} /> : <><span>{note ? t.conversation.noteHint : t.conversation.replyHint}</span><span class="key-hint"><kbd>{sendKey}</kbd></span></>}
          </p>
          {/* Never disabled: a button that lost its focus with the last letter would throw people out of the form. */}
          <button type="submit" class="button primary" data-testid="send" aria-disabled={!body.trim() || tooLong(body)}>
            {note ? t.conversation.addNote : t.conversation.send}
          </button>
        </div>
      </form>
      {canning.value && <pages.canned.Page projectId={projectId} draft={body} onPick={insert} onClose={() => (canning.value = false)} />}
      <Newer composing={composing} visitor={visitor} onSend={() => { composing.confirm(); sent(); }} />
    </>
  );
}

/** As the keyboard in front of the person calls it. */
const sendKey = /Mac|iPhone|iPad/.test(navigator.platform) ? "⌘ ↵" : "Ctrl ↵";

function Left({ body }: { body: string }) {
  const left = maxBody - [...body.trim()].length;
  return <span class={left < 0 ? "bad-text" : ""} data-testid="left">{left < 0 ? t.conversation.tooLong(formatCount(-left)) : t.conversation.left(formatCount(left))}</span>;
}

/** Radio buttons: the arrow keys change between the two, and which one holds is said. */
function Switch({ composing, onPick }: { composing: Composing; onPick(): void }) {
  const name = useId();
  const option = (value: Visibility, label: string, icon: "reply" | "lock", key: string) => (
    <label class="segment">
      <input
        type="radio"
        name={name}
        checked={composing.visibility.value === value}
        aria-keyshortcuts={key}
        data-testid={`to-${value}`}
        onChange={() => composing.address(value)}
        // Chosen with the pointer, writing goes on; with the arrow keys the choice is still being made.
        onClick={(event) => event.detail > 0 && onPick()}
      />
      <span class="with-icon"><Icon name={icon} />{label}</span>
    </label>
  );
  return (
    <div class="segments" role="radiogroup" aria-label={t.conversation.to}>
      {option("public", t.conversation.reply, "reply", "r")}
      {option("internal", t.conversation.note, "lock", "n")}
    </div>
  );
}

/** What came while this answer was being written. Going back is offered first: it destroys nothing and sends nothing. */
function Newer({ composing, visitor, onSend }: { composing: Composing; visitor: string; onSend(): void }) {
  const now = useMinute();
  const messages = composing.newer.value;
  if (!messages) return null;
  return (
    <Dialog title={t.conversation.newerTitle(messages.length)} onClose={() => composing.reconsider()} testid="newer">
      <p class="dialog-text">{t.conversation.newerLead}</p>
      <ol class="thread newer-list">{messages.map((message) => <Known key={message.id} message={message} visitor={visitor} now={now} />)}</ol>
      <footer class="dialog-foot">
        <button type="button" class="button" data-testid="newer-back" onClick={() => composing.reconsider()}>{t.conversation.newerBack}</button>
        <button type="button" class="button primary" data-testid="newer-send" onClick={onSend}>{t.conversation.newerSend}</button>
      </footer>
    </Dialog>
  );
}
