import { useEffect } from "preact/hooks";
import { useSignal } from "@preact/signals";
import { useDashboard } from "../context";
import type { BulkChanges, Feedback, Priority, Status } from "../session/types";
import { t } from "../text/en";
import { initials } from "../text/format";
import { Icon, StatusIcon } from "../ui/icons";
import type { Field } from "./changes";
import { Picker, type Option } from "./picker";
import { PriorityIcon } from "./priority";

export const statuses: readonly Status[] = ["new", "open", "in_progress", "resolved", "closed"];
export const priorities: readonly Priority[] = ["urgent", "high", "normal", "low"];

interface PickingProps {
  field: Field;
  projectId: string;
  /** What is known of what is meant: it says what is chosen already. */
  items: readonly Feedback[];
  onPick(changes: BulkChanges): void;
  onClose(): void;
}

/** Asks for one field's new value, for one item or for many. */
export function Picking(props: PickingProps) {
  switch (props.field) {
    case "status":
      return <StatusPicker {...props} />;
    case "assignee_id":
      return <AssigneePicker {...props} />;
    case "tags":
      return <TagPicker {...props} />;
    case "priority":
      return <PriorityPicker {...props} />;
  }
}

/** How many of the items have it. */
function chosen(items: readonly Feedback[], has: (item: Feedback) => boolean): Option<unknown>["chosen"] {
  const n = items.filter(has).length;
  if (n === 0) return "no";
  return n === items.length ? "yes" : "some";
}

function StatusPicker({ items, onPick, onClose }: PickingProps) {
  const options = statuses.map((value) => ({
    value,
    label: t.status[value],
    face: <StatusIcon status={value} />,
    chosen: chosen(items, ({ status }) => status === value),
  }));
  return <Picker title={t.triage.status} placeholder={t.triage.statusFind} options={options} onPick={(status) => onPick({ status })} onClose={onClose} testid="pick-status" />;
}

function PriorityPicker({ items, onPick, onClose }: PickingProps) {
  const options = priorities.map((value) => ({
    value,
    label: t.priority[value],
    face: <PriorityIcon priority={value} />,
    chosen: chosen(items, ({ priority }) => priority === value),
  }));
  return <Picker title={t.triage.priority} placeholder={t.triage.priorityFind} options={options} onPick={(priority) => onPick({ priority })} onClose={onClose} testid="pick-priority" />;
}

function AssigneePicker({ items, onPick, onClose }: PickingProps) {
  const { workspace } = useDashboard();
  useEffect(() => void workspace.readMembers(), []);
  const me = workspace.me.value?.user.id;
  // Oneself first and nobody second: they are most of what is chosen here.
  const members = [...workspace.members.value].sort((a, b) => Number(b.id === me) - Number(a.id === me));
  const of = (value: string | null) => chosen(items, ({ assignee_id }) => assignee_id === value);
  const options: Option<string | null>[] = members.map(({ id, name, email }) => ({
    value: id,
    label: id === me ? t.triage.me(name) : name,
    hint: email === name ? undefined : email,
    face: <span class="avatar" aria-hidden="true">{initials(name)}</span>,
    chosen: of(id),
  }) as Option<string | null>);
  options.splice(1, 0, { value: null, label: t.triage.nobody, face: <Icon name="user" />, chosen: of(null) });
  return <Picker title={t.triage.assign} placeholder={t.triage.assignFind} options={options} onPick={(assignee_id) => onPick({ assignee_id })} onClose={onClose} testid="pick-assignee" />;
}

function TagPicker({ items, projectId, onPick, onClose }: PickingProps) {
  const { api } = useDashboard();
  const known = useSignal<readonly string[]>([]);
  useEffect(() => {
    // Without the project's tags those of the items can still be changed, and new ones made.
    api.tags(projectId).then((tags) => (known.value = tags), () => undefined);
  }, []);
  const option = (value: string): Option<string> => ({ value, label: value, face: <Icon name="tag" />, chosen: chosen(items, ({ tags }) => tags.includes(value)) as Option<string>["chosen"] });
  const names = [...new Set([...items.flatMap(({ tags }) => tags), ...known.value])];
  return (
    <Picker
      title={t.triage.tags}
      placeholder={t.triage.tagsFind}
      options={names.map(option)}
      create={(typed) => ({ ...option(typed), label: typed })}
      // What all have is taken away, what some or none have is given to all.
      onPick={(tag) => onPick(option(tag).chosen === "yes" ? { remove_tags: [tag] } : { add_tags: [tag] })}
      onClose={onClose}
      several
      // With anything typed there is always the tag that can be made of it.
      empty={t.triage.noTagsYet}
      testid="pick-tags"
    />
  );
}
