import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import type { FeedbackQuery } from "../session/api";
import { t } from "../text/en";
import { Icon } from "../ui/icons";
import { kinds, statuses } from "./query";

interface FiltersProps {
  query: FeedbackQuery;
  onQuery(query: FeedbackQuery): void;
}

/** Long enough that a word is typed in one search, short enough to feel immediate. */
const searchDelayMs = 250;

/** The view's filters. They live in the URL; these controls only show and change it. */
export function Filters({ query, onQuery }: FiltersProps) {
  return (
    <div class="filters">
      <Search query={query} onQuery={onQuery} />
      {/* Native selects: they are the one list that every phone and every screen reader does well. */}
      <select class="select" aria-label={t.inbox.statusFilter} data-testid="filter-status" value={query.status} onChange={(event) => onQuery({ ...query, status: event.currentTarget.value })}>
        <option value="">{t.inbox.anyStatus}</option>
        {statuses.map((status) => <option key={status} value={status}>{t.status[status]}</option>)}
      </select>
      <select class="select" aria-label={t.inbox.kindFilter} data-testid="filter-kind" value={query.kind} onChange={(event) => onQuery({ ...query, kind: event.currentTarget.value })}>
        <option value="">{t.inbox.anyKind}</option>
        {kinds.map((kind) => <option key={kind} value={kind}>{t.kind[kind]}</option>)}
      </select>
    </div>
  );
}

/** The one control with a value of its own: what is typed runs ahead of the query by a moment. */
function Search({ query, onQuery }: FiltersProps) {
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
      if (q.trim() !== latest.current.q) onQuery({ ...latest.current, q: q.trim() });
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
