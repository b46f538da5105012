import { useSignal } from "@preact/signals";
import { useDashboard } from "../context";
import type { FiltersProps } from "../inbox/filters";
import { isFiltered, readView, sameList, viewBody } from "../inbox/query";
import { pages } from "../shell/pages";
import { t } from "../text/en";
import { Icon } from "../ui/icons";
import { mayChange } from "./nav-views";
import { builtIn } from "./views";

/** Keeps what is listed: as a new view, or in the one that it began as. */
export function SaveView({ query, projectId, onQuery }: FiltersProps) {
  const dashboard = useDashboard();
  const { views, notices } = dashboard;
  const open = useSignal(false);
  const view = views.list.value?.items.find(({ id }) => id === query.view);
  const changed = view !== undefined && !sameList(readView(view.query), query);
  const worth = (isFiltered(query) || query.sort !== "") && !builtIn.some((one) => sameList(one.query, query)) && (!view || changed);
  const update = (): void => {
    if (!view) return;
    views.update(view.id, { query: viewBody(query) }).then(
      () => notices.show(t.views.updated(view.name)),
      () => notices.show(t.views.failed, "bad"),
    );
  };
  return (
    <>
      {changed && mayChange(view, dashboard) && (
        <button type="button" class="icon-button" aria-label={t.views.update} title={t.views.update} data-testid="view-update" onClick={update}>
          <Icon name="check" />
        </button>
      )}
      {(worth || open.value) && (
        <button type="button" class="icon-button" aria-label={t.views.save} title={t.views.save} data-testid="view-save" onPointerEnter={pages.view.preload} onClick={() => (open.value = true)}>
          <Icon name="view" />
        </button>
      )}
      {open.value && <pages.view.Page projectId={projectId} query={query} onClose={() => (open.value = false)} onSaved={(id) => onQuery({ ...query, view: id })} />}
    </>
  );
}
