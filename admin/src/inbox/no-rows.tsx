import { everything, isFiltered, sameList, type FeedbackQuery } from "./query";
import { t } from "../text/en";
import { Empty } from "../ui/notices";
import type { Inbox } from "./inbox";

interface NoRowsProps {
  inbox: Inbox;
  query: FeedbackQuery;
  projectId: string;
  onClear(): void;
}

/** An empty list says which of its many reasons it has, and what helps. */
export function NoRows({ inbox, query, projectId, onClear }: NoRowsProps) {
  if (inbox.load.value === "failed") {
    return (
      <Empty icon="alert" title={t.inbox.failed} lead={t.inbox.failedLead} testid="list-failed">
        <button type="button" class="button primary" onClick={() => inbox.retry()}>{t.common.retry}</button>
      </Empty>
    );
  }
  // Keeps the view (inbox or quarantine) and drops the rest.
  const clear = <button type="button" class="button" data-testid="clear-filters" onClick={onClear}>{t.inbox.clear}</button>;
  // A work list that ran empty is good news, not a failed search.
  const done = query.status.some((status) => status === "resolved" || status === "closed");
  if (query.status.length > 0 && !done && sameList({ ...query, assignee: "" }, { ...everything, status: query.status })) {
    return (
      <Empty icon="check" title={t.inbox.done} lead={t.inbox.doneLead(query.status.map((status) => t.status[status]))} testid="list-done">
        {clear}
      </Empty>
    );
  }
  // In the order of what a person can do about it: clear the filters, do nothing, or install.
  if (isFiltered(query)) {
    return <Empty icon="search" title={t.inbox.noMatch} lead={t.inbox.noMatchLead} testid="list-no-match">{clear}</Empty>;
  }
  if (query.quarantined) return <Empty icon="quarantine" title={t.inbox.quarantineNone} lead={t.inbox.quarantineNoneLead} testid="list-quarantine-none" />;
  return (
    <Empty icon="inbox" title={t.inbox.none} lead={t.inbox.noneLead} testid="list-none">
      <a class="button primary" href={`/projects/${projectId}/install`}>{t.inbox.noneAction}</a>
    </Empty>
  );
}
