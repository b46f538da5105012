import type { ComponentChildren } from "preact";
import type { Message } from "../session/types";
import { t } from "../text/en";
import { formatAge, formatMoment, initials } from "../text/format";
import { Icon } from "../ui/icons";
import { UserText } from "../ui/linkify";
import { explain } from "../workspace";
import type { Outgoing } from "./outbox";

/** A time as it is read, and exactly on hover. */
export function Time({ at, now, class: extra = "" }: { at: string; now: number; class?: string }) {
  return <time dateTime={at} title={formatMoment(at)} class={extra}>{formatAge(at, now)}</time>;
}

interface FrameProps {
  side: "visitor" | "reply" | "note";
  name: string;
  head: ComponentChildren;
  children: ComponentChildren;
  id: string;
  state?: string | undefined;
}

/** One entry. The three sides differ in place, colour, icon and words, so that a note is never taken for an answer. */
export function Entry({ side, name, head, children, id, state }: FrameProps) {
  return (
    <li class={`entry entry-${side}`} data-testid="entry" data-side={side} data-id={id} data-state={state}>
      <span class="avatar" aria-hidden="true">{side === "note" ? <Icon name="lock" /> : name ? initials(name) : <Icon name="user" />}</span>
      <div class="entry-box">
        <p class="entry-head">
          <bdi class="entry-name">{name || t.inbox.visitor}</bdi>
          {side === "note" && <span class="note-label">{t.conversation.noteLabel}</span>}
          {side === "reply" && <span class="visually-hidden">{t.conversation.replied}</span>}
          {head}
        </p>
        {children}
      </div>
    </li>
  );
}

export const sideOf = ({ visibility, author }: Pick<Message, "visibility" | "author">): FrameProps["side"] =>
  visibility === "internal" ? "note" : author.kind === "visitor" ? "visitor" : "reply";

/** A message that the server has. `children` are what may be done with it, or the box in which it is edited. */
export function Known({ message, visitor, now, tools, children }: { message: Message; visitor: string; now: number; tools?: ComponentChildren; children?: ComponentChildren }) {
  const side = sideOf(message);
  return (
    <Entry
      side={side}
      id={message.id}
      name={message.author.name || (side === "visitor" ? visitor : "")}
      head={
        <>
          <Time at={message.created_at} now={now} class="faint" />
          {message.rev > 1 && <span class="faint" title={formatMoment(message.updated_at)} data-testid="edited">{t.conversation.edited}</span>}
          {tools}
        </>
      }
    >
      {children ?? <UserText text={message.body} class="entry-text" />}
    </Entry>
  );
}

interface PendingProps {
  message: Outgoing;
  me: string;
  now: number;
  onRetry(): void;
  onTake(): void;
}

/** A message on its way. Where it failed, its text stays, with the reason and what can be done. */
export function Pending({ message, me, now, onRetry, onTake }: PendingProps) {
  const { state, error } = message;
  return (
    <Entry
      side={message.visibility === "internal" ? "note" : "reply"}
      id={message.id}
      name={me}
      state={state}
      head={state === "failed" ? null : <span class="faint">{state === "sending" ? t.conversation.sending : <Time at={message.at} now={now} />}</span>}
    >
      <UserText text={message.body} class="entry-text" />
      {state === "failed" && (
        <div class="entry-failed" data-testid="not-sent">
          <Icon name="alert" />
          <span class="entry-reason"><strong>{t.conversation.notSent}</strong> {error === undefined ? t.conversation.unknownFate : explain(error)}</span>
          <button type="button" class="button small" data-testid="send-again" onClick={onRetry}>{t.common.retry}</button>
          <button type="button" class="button small" data-testid="take-back" onClick={onTake}>{t.conversation.takeBack}</button>
        </div>
      )}
    </Entry>
  );
}
