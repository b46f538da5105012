import { useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useDashboard } from "../context";
import type { Feedback } from "../session/types";
import { t } from "../text/en";
import { identity, told } from "../text/en-item";
import { formatMoment, initials, shortPage } from "../text/format";
import type { Field } from "../triage/changes";
import { PriorityIcon } from "../triage/priority";
import { Icon, KindIcon } from "../ui/icons";
import { ForeignLink } from "../ui/linkify";
import { Stars } from "./row";

/** Nested context (`context.user.plan`) is shown flat and shallow: it is whatever a page chose to send. */
const contextDepth = 3;
const contextRows = 40;

/** What is known of an item. All of it came from a visitor's browser: shown as text, believed nowhere. */
export function Properties({ item, onEdit }: { item: Feedback; onEdit(field: Field): void }) {
  // What was typed into the form comes before what the page said of its visitor.
  const email = item.email ?? item.visitor.email;
  const context = flatten(item.context ?? {}, "", contextDepth).filter(([, value]) => value !== "").slice(0, contextRows);
  // Beside the conversation there is always room for them; where they stand in its way, they open on demand.
  const open = useSignal(false);
  return (
    <aside class={open.value ? "properties open" : "properties"} aria-label={t.inbox.properties}>
      <button type="button" class="properties-toggle" aria-expanded={open.value} data-testid="properties-toggle" onClick={() => (open.value = !open.value)}>
        {item.kind && <span class="with-icon"><KindIcon kind={item.kind} />{t.kind[item.kind]}</span>}
        <bdi class="cut">{shortPage(item.page_url)}</bdi>
        <span class="visually-hidden">{t.inbox.properties}</span>
        <Icon name="chevron" class="end" />
      </button>
      <div class="properties-body">
        <Decided item={item} onEdit={onEdit} />
        <dl>
          <Property name={t.inbox.kindLabel}>
            {item.kind ? <span class="with-icon"><KindIcon kind={item.kind} />{t.kind[item.kind]}</span> : <span class="faint">{t.inbox.noKind}</span>}
          </Property>
          {item.rating !== null && <Property name={t.inbox.ratingLabel}><Stars rating={item.rating} /></Property>}
          <Property name={t.inbox.page}><ForeignLink href={item.page_url}>{shortPage(item.page_url)}</ForeignLink></Property>
          {/* The one word here that is not the visitor's: their site has signed it. */}
          {item.visitor.identity && <Property name={identity}><bdi>{item.visitor.identity}</bdi></Property>}
          {email && <Property name={t.inbox.email}><a href={`mailto:${encodeURIComponent(email)}`}><bdi>{email}</bdi></a></Property>}
          <Property name={t.inbox.received}><time dateTime={item.created_at}>{formatMoment(item.created_at)}</time></Property>
          {/* The same moment twice would look like news. */}
          {item.updated_at !== item.created_at && (
            <Property name={t.inbox.changed}><time dateTime={item.updated_at}>{formatMoment(item.updated_at)}</time></Property>
          )}
        </dl>
        {context.length > 0 && (
          <>
            <h3>{t.inbox.context}</h3>
            <dl data-testid="context">
              {context.map(([name, value]) => <Property key={name} name={Object.hasOwn(told, name) ? (told[name] ?? name) : name.replace(/^attributes\./, "")}><bdi>{value}</bdi></Property>)}
            </dl>
          </>
        )}
      </div>
    </aside>
  );
}

/** What staff decide. For who may, each value is the way to change it. */
function Decided({ item, onEdit }: { item: Feedback; onEdit(field: Field): void }) {
  const { workspace } = useDashboard();
  const { assignee_id, tags } = item;
  const name = assignee_id && workspace.memberName(assignee_id);
  const me = workspace.me.value?.user.id;
  const edit = (field: Field, label: string, value: ComponentChildren, key: string) =>
    workspace.canTriage.value ? (
      <button type="button" class="edit" aria-keyshortcuts={key} data-testid={`edit-${field}`} onClick={() => onEdit(field)}>
        <span class="visually-hidden">{t.triage.change(label)} </span>
        {value}
      </button>
    ) : value;
  return (
    <dl class="decided">
      <Property name={t.triage.assignee}>
        {edit("assignee_id", t.triage.assignee, name
          ? <><span class="avatar" aria-hidden="true">{initials(name)}</span><bdi class="cut">{assignee_id === me ? t.triage.me(name) : name}</bdi></>
          : <span class="faint">{t.triage.nobody}</span>, "a")}
      </Property>
      <Property name={t.triage.tagsName}>
        {edit("tags", t.triage.tagsName, tags.length > 0
          ? <span class="tags">{tags.map((tag) => <bdi key={tag} class="tag">{tag}</bdi>)}</span>
          : <span class="faint">{t.triage.noTags}</span>, "l")}
      </Property>
      <Property name={t.triage.priorityName}>
        {edit("priority", t.triage.priorityName, <><PriorityIcon priority={item.priority} />{t.priority[item.priority]}</>, "p")}
      </Property>
    </dl>
  );
}

/** Names come from the visitor's page as well: isolated, or one in Arabic would turn its row around. */
function Property({ name, children }: { name: string; children: ComponentChildren }) {
  return (
    <div>
      <dt><bdi>{name}</bdi></dt>
      <dd>{children}</dd>
    </div>
  );
}

/** Nested objects become dotted names down to `depth`; what lies deeper, and lists, are shown as JSON. */
export function flatten(value: Readonly<Record<string, unknown>>, prefix: string, depth: number): [string, string][] {
  return Object.entries(value).flatMap(([name, entry]): [string, string][] => {
    const path = prefix ? `${prefix}.${name}` : name;
    if (typeof entry === "object" && entry !== null && !Array.isArray(entry) && depth > 1) {
      return flatten(entry as Record<string, unknown>, path, depth - 1);
    }
    return [[path, typeof entry === "string" ? entry : (JSON.stringify(entry) ?? "")]];
  });
}
