import { Component } from "preact";
import type { Viewer } from "../live/presence";
import { t } from "../text/en";
import { formatAge, formatMoment, initials, pagePath } from "../text/format";
import type { Feedback } from "../session/types";
import { PriorityIcon } from "../triage/priority";
import { Icon, KindIcon, StatusIcon } from "../ui/icons";
import { hits, marked } from "./highlight";
import { Viewers } from "./viewers";

/** All plain values and one item that is replaced when it changes, so that comparing them one by one is enough. */
export interface RowProps {
  item: Feedback;
  href: string;
  position: number;
  setSize: number;
  top: number;
  selected: boolean;
  tabbable: boolean;
  now: number;
  viewers: readonly Viewer[] | undefined;
  checked: boolean;
  /** What was searched for. */
  q: string;
  /** Who it is assigned to, by name. */
  assignee: string | undefined;
}

/** One row. Drawn again only when something of it changed: a hundred arrivals must not draw thirty rows a hundred times. */
export class Row extends Component<RowProps> {
  override shouldComponentUpdate(next: Readonly<RowProps>): boolean {
    return (Object.keys(next) as (keyof RowProps)[]).some((key) => next[key] !== this.props[key]);
  }

  override render() {
    const { item, href, position, setSize, top, selected, tabbable, now, viewers, checked, assignee, q } = this.props;
    const { unread } = item;
    const files = item.attachments.length || (item.attachment_count ?? 0);
    const who = item.name || item.visitor.name || item.email || item.visitor.email;
    return (
      // The position is given in words, because most rows around it are not in the document.
      <li class={checked ? "row-slot checked" : "row-slot"} style={{ "--top": `${top}px` }} aria-setsize={setSize} aria-posinset={position}>
        <a
          class={`row ${unread ? "unread" : ""} ${item.status === "resolved" || item.status === "closed" ? "settled" : ""}`}
          href={href}
          data-row={item.id}
          data-testid="row"
          data-status={item.status}
          data-unread={unread}
          // One stop for Tab in the whole list; within it the arrow keys move.
          tabIndex={tabbable ? 0 : -1}
          aria-current={selected ? "true" : undefined}
        >
          <span class="row-status" title={t.status[item.status]}>
            <StatusIcon status={item.status} />
            <span class="visually-hidden">{t.status[item.status]}: </span>
          </span>
          <span class="row-message" dir="auto">{marked(excerpt(item.message, q), q)}</span>
          <span class="row-time">
            {unread && <span class="row-dot" title={t.conversation.unread}><span class="visually-hidden">{t.conversation.unread}, </span></span>}
            <time dateTime={item.created_at} title={formatMoment(item.created_at)}>{formatAge(item.created_at, now)}</time>
          </span>
          <span class="row-meta">
            {item.kind && (
              <span class="row-kind">
                <KindIcon kind={item.kind} />
                {t.kind[item.kind]}
              </span>
            )}
            <bdi class="row-who">{marked(who || t.inbox.visitor, who ? q : "")}</bdi>
            <bdi class="row-page">{pagePath(item.page_url)}</bdi>
            {item.tags.length > 0 && <span class="row-tags"><bdi class="tag">{item.tags[0]}</bdi>{item.tags.length > 1 && <span class="tag">+{item.tags.length - 1}</span>}</span>}
          </span>
          <span class="row-end">
            {files > 0 && <span title={t.inbox.files(files)}><Icon name="clip" class="faint" /><span class="visually-hidden">{t.inbox.files(files)}</span></span>}
            {item.priority !== "normal" && <span title={t.priority[item.priority]}><PriorityIcon priority={item.priority} /><span class="visually-hidden">{t.triage.priorityName}: {t.priority[item.priority]}</span></span>}
            {assignee && <span class="avatar" title={`${t.triage.assignee}: ${assignee}`}><span aria-hidden="true">{initials(assignee)}</span><span class="visually-hidden">{t.triage.assignee}: {assignee}</span></span>}
            {viewers && <Viewers viewers={viewers} testid="row-viewers" />}
            {item.rating !== null && <Stars rating={item.rating} />}
          </span>
        </a>
        {/* Beside the link and not in it: two things to press must not be one in the other. By keyboard it is "x". */}
        <label class="row-check">
          <input type="checkbox" tabIndex={-1} checked={checked} data-check={item.id} aria-label={t.triage.select(firstLine(item.message).slice(0, 60))} />
        </label>
      </li>
    );
  }
}

/** A list shows one line; what is behind it must not be laid out for every row (messages have up to 5,000 characters). */
function firstLine(message: string): string {
  return message.slice(0, 240).replace(/\s+/g, " ");
}

/** Begins where a search's first hit can be seen: a row has room for some words, and the hit may be the thousandth. */
function excerpt(message: string, q: string): string {
  const at = q ? (hits(message.slice(0, 1000), q)[0]?.[0] ?? 0) : 0;
  if (at < 60) return firstLine(message);
  return `…${firstLine(message.slice(message.lastIndexOf(" ", at - 20) + 1 || at))}`;
}

/** Read as "4 of 5 stars"; ten glyphs one by one would say nothing. */
export function Stars({ rating }: { rating: number }) {
  return (
    <span class="stars" role="img" aria-label={t.inbox.rating(rating)}>
      <span aria-hidden="true">{"★".repeat(rating)}</span>
      <span aria-hidden="true" class="stars-rest">{"★".repeat(5 - rating)}</span>
    </span>
  );
}
