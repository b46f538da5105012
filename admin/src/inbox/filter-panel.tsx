import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { useDashboard } from "../context";
import { t } from "../text/en";
import { Field, Switch } from "../ui/field";
import { dayBefore, type FiltersProps } from "./filters";
import { kinds, priorities, ratings, statuses, type FeedbackQuery } from "./query";

/** All filters of the list. Each is applied as it is set: the list beside it is the preview. */
export function FilterPanel({ query, projectId, onQuery }: FiltersProps) {
  const { api, workspace } = useDashboard();
  const tags = useSignal<readonly string[]>([]);
  useEffect(() => {
    void workspace.readMembers();
    // Without them the tag can still be one that a link or a view has brought.
    api.tags(projectId).then((list) => (tags.value = list), () => undefined);
  }, [projectId]);
  const set = (change: Partial<FeedbackQuery>): void => onQuery({ ...query, ...change });
  const me = workspace.me.value?.user.id;
  const known = query.tag && !tags.value.includes(query.tag) ? [query.tag, ...tags.value] : tags.value;
  return (
    <div class="filter-panel" data-testid="filter-panel">
      <Several legend={t.filters.status} name="status" all={statuses} values={query.status} text={(value) => t.status[value]} onChange={(status) => set({ status })} />
      <Several legend={t.filters.kind} name="kind" all={kinds} values={query.kind} text={(value) => t.kind[value]} onChange={(kind) => set({ kind })} />
      <Several legend={t.filters.priority} name="priority" all={priorities} values={query.priority} text={(value) => t.priority[value]} onChange={(priority) => set({ priority })} />
      <Several legend={t.filters.rating} name="rating" all={ratings} values={query.rating} text={(n) => `${n}★`} label={t.filters.stars} onChange={(rating) => set({ rating })} />
      <div class="filter-pair">
        <Field label={t.filters.assignee}>
          {(wiring) => (
            <select {...wiring} class="select" data-testid="filter-assignee" value={query.assignee} onChange={(event) => set({ assignee: event.currentTarget.value })}>
              <option value="">{t.filters.anyone}</option>
              <option value="me">{t.filters.me}</option>
              <option value="none">{t.filters.nobody}</option>
              {workspace.members.value.filter(({ id }) => id !== me).map(({ id, name }) => <option key={id} value={id}>{name}</option>)}
            </select>
          )}
        </Field>
        <Field label={t.filters.tag}>
          {(wiring) => (
            <select {...wiring} class="select" data-testid="filter-tag" value={query.tag} onChange={(event) => set({ tag: event.currentTarget.value })}>
              <option value="">{t.filters.anyTag}</option>
              {known.map((tag) => <option key={tag} value={tag}>{tag}</option>)}
            </select>
          )}
        </Field>
        <Day label={t.filters.from} value={query.from && toDay(query.from)} onChange={(day) => set({ from: day && startOf(day, 0) })} />
        <Day label={t.filters.to} value={query.to && toDay(dayBefore(query.to))} onChange={(day) => set({ to: day && startOf(day, 1) })} />
      </div>
      <Field label={t.filters.page}>
        {(wiring) => (
          <input {...wiring} type="url" class="input" dir="ltr" data-testid="filter-page" placeholder={t.filters.pagePlaceholder} value={query.page_url} onChange={(event) => set({ page_url: event.currentTarget.value.trim() })} />
        )}
      </Field>
      <Switch label={t.filters.unread} checked={query.unread} testid="filter-unread" onToggle={(unread) => set({ unread })} />
    </div>
  );
}

interface SeveralProps<T extends string | number> {
  legend: string;
  name: string;
  all: readonly T[];
  values: readonly T[];
  text(value: T): string;
  label?(value: T): string;
  onChange(values: readonly T[]): void;
}

/** Any of a few; none of them is all of them. */
function Several<T extends string | number>({ legend, name, all, values, text, label, onChange }: SeveralProps<T>) {
  const toggle = (value: T): void => onChange(all.filter((one) => (one === value ? !values.includes(one) : values.includes(one))));
  return (
    <fieldset class="field">
      <legend>{legend}</legend>
      <div class="filter-options">
        {all.map((value) => (
          <label class="filter-option" key={value}>
            <input type="checkbox" name={name} value={value} checked={values.includes(value)} aria-label={label?.(value)} data-testid={`filter-${name}-${value}`} onChange={() => toggle(value)} />
            <span>{text(value)}</span>
          </label>
        ))}
      </div>
    </fieldset>
  );
}

function Day({ label, value, onChange }: { label: string; value: string; onChange(day: string): void }) {
  return (
    <Field label={label}>
      {(wiring) => <input {...wiring} type="date" class="input" value={value} onChange={(event) => onChange(event.currentTarget.value)} />}
    </Field>
  );
}

/** A day as the field spells it, in this person's own time. */
function toDay(moment: string): string {
  const at = new Date(moment);
  return [at.getFullYear(), at.getMonth() + 1, at.getDate()].map((n) => String(n).padStart(2, "0")).join("-");
}

/** The moment in which a day begins here, or one of the days after it. */
function startOf(day: string, later: number): string {
  const [year = 0, month = 1, date = 1] = day.split("-").map(Number);
  return new Date(year, month - 1, date + later).toISOString();
}
