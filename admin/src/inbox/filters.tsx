import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { useDashboard } from "../context";
import { pages } from "../shell/pages";
import { t } from "../text/en";
import { formatDay, pagePath } from "../text/format";
import { isolate } from "../text/isolate";
import { Icon } from "../ui/icons";
import { Menu } from "../ui/menu";
import { SaveView } from "../views/save-view";
import { everything, filterCount, order, sorts, type FeedbackQuery, type Sort } from "./query";

export interface FiltersProps {
  query: FeedbackQuery;
  projectId: string;
  onQuery(query: FeedbackQuery): void;
}

/** Long enough that a word is typed in one search, short enough to feel immediate. */
const searchDelayMs = 250;

/** What narrows the list down. All of it lives in the URL; these controls only show and change it. */
export function Filters(props: FiltersProps) {
  const { query, onQuery } = props;
  const on = filterCount(query);
  // Its code comes with the first click.
  const wanted = useSignal(false);
  return (
    <div class="filters">
      <Search query={query} onQuery={onQuery} />
      <div class="filter-bar" onClickCapture={() => (wanted.value = true)}>
        <Menu
          class={on > 0 ? "button small filter-open on" : "button small filter-open"}
          role="dialog"
          testid="filter-open"
          face={
            <>
              <Icon name="filter" />
              {t.filters.open}
              {on > 0 && <span class="filter-count"><span aria-hidden="true">{on}</span><span class="visually-hidden">, {t.filters.active(on)}</span></span>}
            </>
          }
        >
          {wanted.value && <pages.filters.Page {...props} />}
        </Menu>
        <select class="select sort" aria-label={t.filters.sort} data-testid="sort" value={order(query)} onChange={(event) => onQuery(sorted(query, event.currentTarget.value as Sort))}>
          {sorts.filter((sort) => sort !== "relevance" || query.q).map((sort) => <option key={sort} value={sort}>{t.filters.order[sort]}</option>)}
        </select>
        <SaveView {...props} />
      </div>
      <Chips {...props} />
    </div>
  );
}

/** The list's own order is not named: a link then says no more than it has to. */
function sorted(query: FeedbackQuery, sort: Sort): FeedbackQuery {
  return { ...query, sort: sort === order({ ...query, sort: "" }) ? "" : sort };
}

/** What is on, each to be taken away by itself. */
function Chips({ query, onQuery }: FiltersProps) {
  const { workspace } = useDashboard();
  const bar = useRef<HTMLDivElement>(null);
  const chips: { name: string; text: string; without: Partial<FeedbackQuery> }[] = [];
  const add = (name: string, text: string, without: Partial<FeedbackQuery>): void => void (text && chips.push({ name, text, without }));
  add("status", query.status.map((status) => t.status[status]).join(", "), { status: [] });
  add("kind", query.kind.map((kind) => t.kind[kind]).join(", "), { kind: [] });
  add("assignee", { "": "", me: `${t.filters.assignee}: ${t.filters.me}`, none: `${t.filters.assignee}: ${t.filters.nobody}` }[query.assignee] ?? `${t.filters.assignee}: ${isolate(workspace.memberName(query.assignee))}`, { assignee: "" });
  add("tag", query.tag && `${t.filters.tag}: ${isolate(query.tag)}`, { tag: "" });
  add("priority", query.priority.map((priority) => t.priority[priority]).join(", "), { priority: [] });
  add("rating", query.rating.map((n) => "★".repeat(n)).join(", "), { rating: [] });
  add("days", query.from || query.to ? t.filters.days(query.from && formatDay(query.from), query.to && formatDay(dayBefore(query.to))) : "", { from: "", to: "" });
  add("page", query.page_url && pagePath(query.page_url), { page_url: "" });
  add("unread", query.unread ? t.filters.unreadChip : "", { unread: false });
  if (chips.length === 0) return null;
  const drop = (without: Partial<FeedbackQuery>): void => {
    // Before the chip is gone: the focus would be lost with it.
    bar.current?.closest(".filters")?.querySelector<HTMLElement>("[data-testid=filter-open]")?.focus();
    onQuery({ ...query, ...without });
  };
  const { q, quarantined, sort } = query;
  return (
    <div class="chips" role="group" aria-label={t.filters.list} ref={bar}>
      {chips.map(({ name, text, without }) => (
        <button key={name} type="button" class="chip" data-testid={`chip-${name}`} aria-label={t.filters.remove(text)} onClick={() => drop(without)}>
          <bdi class="cut">{text}</bdi>
          <Icon name="close" />
        </button>
      ))}
      <button type="button" class="link" data-testid="filters-clear" onClick={() => drop({ ...everything, q, quarantined, sort })}>{t.filters.clear}</button>
    </div>
  );
}

/** The last moment that is still in it: people think of the day, and the end is not part of a list. */
export const dayBefore = (to: string): string => new Date(Date.parse(to) - 1).toISOString();

/** The one control with a value of its own: what is typed runs ahead of the query by a moment. */
function Search({ query, onQuery }: Pick<FiltersProps, "query" | "onQuery">) {
  const typed = useSignal(query.q);
  const input = useRef<HTMLInputElement>(null);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  // The delayed search must not bring back a filter that was changed while it waited.
  const latest = useRef(query);
  latest.current = query;

  useEffect(() => {
    // Back, forward and "clear filters" change the query from outside; a text still being typed is left alone.
    if (timer.current === undefined) typed.value = query.q;
  }, [query.q]);
  useEffect(() => () => clearTimeout(timer.current), []);

  const search = (q: string, delay: number): void => {
    typed.value = q;
    clearTimeout(timer.current);
    timer.current = setTimeout(() => {
      timer.current = undefined;
      if (q.trim() === latest.current.q) return;
      const { sort } = latest.current;
      onQuery({ ...latest.current, q: q.trim(), sort: sort === "relevance" ? "" : sort });
    }, delay);
  };

  return (
    <form class="search" role="search" onSubmit={(event) => { event.preventDefault(); search(typed.value, 0); }}>
      <Icon name="search" />
      <input
        ref={input}
        type="search"
        class="input"
        enterkeyhint="search"
        placeholder={t.inbox.search}
        aria-label={t.inbox.search}
        aria-keyshortcuts="/"
        maxLength={200}
        value={typed.value}
        data-testid="search"
        data-search
        onInput={(event) => search(event.currentTarget.value, searchDelayMs)}
        onKeyDown={(event) => {
          // The first Escape empties the field, the second leaves it. Neither closes the open item.
          if (event.key !== "Escape") return;
          event.preventDefault();
          if (typed.value) search("", 0);
          else event.currentTarget.blur();
        }}
      />
      {typed.value ? (
        <button type="button" class="icon-button" aria-label={t.inbox.clearSearch} onClick={() => { search("", 0); input.current?.focus(); }}>
          <Icon name="close" />
        </button>
      ) : (
        <kbd aria-hidden="true">/</kbd>
      )}
    </form>
  );
}
