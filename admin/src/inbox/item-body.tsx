import { useLayoutEffect, useMemo, useRef } from "preact/hooks";
import { useDashboard } from "../context";
import type { Viewer } from "../live/presence";
import type { Feedback, Visibility } from "../session/types";
import { t } from "../text/en";
import { initials, shortPage } from "../text/format";
import type { Workspace } from "../workspace";
import { fill, type Known } from "../canned/fill";
import { Icon } from "../ui/icons";
import type { Field } from "../triage/changes";
import { UserText } from "../ui/linkify";
import { useMinute } from "../ui/minute";
import { Composer } from "./composer";
import { createComposing } from "./composing";
import { Files } from "./files";
import type { Inbox } from "./inbox";
import { Time } from "./message";
import { Properties } from "./properties";
import { Quarantined } from "./quarantine";
import { useThreadScroll } from "./scrolling";
import type { Shelf } from "./shelf";
import { ThreadView } from "./thread-view";

/** The way of the keys to the box below the item, which comes and goes with it. */
export interface AnswerPort {
  /** Turns the open item's box to who it is for, and puts the focus there; null while there is none. */
  open: ((to: Visibility) => void) | null;
  /** A key has opened this item in order to answer it: its box is to do the same as soon as it is there. */
  wanted: { id: string; to: Visibility } | null;
}

interface ItemBodyProps {
  inbox: Inbox;
  item: Feedback;
  shelf: Shelf;
  viewers: readonly Viewer[];
  port: AnswerPort;
  onEdit(field: Field): void;
}

/** One item's text, conversation and answer. Keyed by the item: what is written to one must never stand below another. */
export function ItemBody({ inbox, item, shelf, viewers, port, onEdit }: ItemBodyProps) {
  const { workspace } = useDashboard();
  const { conversation } = inbox;
  const box = useRef<HTMLDivElement>(null);
  const me = workspace.me.value?.user.id ?? "";
  const composing = useMemo(() => createComposing({ feedbackId: item.id, me, conversation, shelf }), []);
  const { below, onScroll, toEnd } = useThreadScroll(box, conversation, me);
  const canAnswer = workspace.canTriage.value;
  const field = useRef<HTMLTextAreaElement>(null);
  usePort(port, item.id, (to) => {
    composing.address(to);
    // At once and not after a drawing: the next keys are letters, and must not be taken for shortcuts.
    field.current?.focus();
  });
  const who = nameOf(item);
  return (
    <div class="item-main">
      {/* Focusable, because it scrolls: without that the keyboard could not reach the end of a long message. */}
      <div class="item-scroll" ref={box} tabIndex={0} role="region" aria-label={t.inbox.message} onScroll={onScroll}>
        <div class="item-body">
          {item.quarantined && <Quarantined inbox={inbox} item={item} />}
          <Origin item={item} who={who} />
          <UserText text={item.message} class="message" />
          {item.attachments.length > 0 && <Files files={item.attachments} />}
        </div>
        <Properties item={item} onEdit={onEdit} />
        <div class="item-thread">
          <ThreadView conversation={conversation} feedbackId={item.id} visitor={who} composing={canAnswer ? composing : null} field={field} />
        </div>
      </div>
      <Below count={below.value} onShow={toEnd} />
      {canAnswer && <Composer field={field} composing={composing} viewers={viewers} visitor={who} projectId={item.project_id} fill={(body) => fill(body, knownOf(item, workspace))} onSent={toEnd} />}
    </div>
  );
}

/** The form first, then the page's word for its visitor, then addresses: the most personal name that there is. */
const nameOf = (item: Feedback): string => item.name || item.visitor.name || item.email || item.visitor.email || "";

/** What is known of an item, for a canned reply. */
const knownOf = (item: Feedback, { me }: Workspace): Known => ({
  "visitor.name": item.name || item.visitor.name || "",
  "visitor.email": item.email || item.visitor.email || "",
  page: shortPage(item.page_url),
  "member.name": me.peek()?.user.name ?? "",
});

function Origin({ item, who }: { item: Feedback; who: string }) {
  const now = useMinute();
  return (
    <div class="author">
      <span class="avatar large" aria-hidden="true">{who ? initials(who) : <Icon name="user" />}</span>
      <div class="author-name">
        <h2><bdi>{who || t.inbox.visitor}</bdi></h2>
        <Time at={item.created_at} now={now} class="faint" />
      </div>
    </div>
  );
}

/** Between the conversation and the answer, over neither: what came in stays out of sight until it is asked for. */
function Below({ count, onShow }: { count: number; onShow(): void }) {
  return (
    <div class="below">
      {count > 0 && (
        <button type="button" class="pill" data-testid="below" onClick={onShow}>
          <Icon name="down" />
          {t.conversation.below(count)}
        </button>
      )}
    </div>
  );
}

/** Answers the keys `r` and `n`, also where they opened the item: then its box comes only now. */
function usePort(port: AnswerPort, id: string, open: (to: Visibility) => void): void {
  useLayoutEffect(() => {
    port.open = open;
    if (port.wanted?.id === id) open(port.wanted.to);
    port.wanted = null;
    return () => {
      // The next item's box may be there before this one is gone.
      if (port.open === open) port.open = null;
    };
  }, []);
}
