import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { useDashboard } from "../context";
import { readQuery, readView, writeQuery, type FeedbackQuery } from "../inbox/query";
import { inboxHref, type Route } from "../router";
import type { BuiltInView, View } from "../session/types";
import { pages } from "../shell/pages";
import { t } from "../text/en";
import { Icon, type IconName } from "../ui/icons";
import { builtIn, builtInOf } from "./views";

const icons: Record<BuiltInView["name"], IconName> = {
  inbox: "inbox",
  mine: "user",
  unassigned: "question",
  unread: "unread",
  resolved: "check",
  all: "all",
  quarantine: "quarantine",
};

/** The project's views in the sidebar: those that every project has, and below them the saved ones. */
export function NavViews({ place, projectId }: { place: Route; projectId: string }) {
  const { views, session } = useDashboard();
  const editing = useSignal<View | null>(null);
  const signedIn = session.state.value.name === "in";
  useEffect(() => {
    if (signedIn) views.show(projectId);
  }, [projectId, signedIn]);
  useFresh(projectId);
  const list = views.list.value;
  const query = place.name === "inbox" ? readQuery(place.query) : null;
  const saved = list?.items ?? [];
  const current = currentView(query, saved);
  const counted = list !== null;
  // Where they are a bar that scrolls, the current one may be outside of it, a page's as well. The first counts make it
  // longer; those that follow must not take the bar from under who scrolls it.
  useEffect(() => document.querySelector(".nav [aria-current]")?.scrollIntoView({ block: "nearest", inline: "nearest" }), [current, place.name, counted]);
  return (
    <>
      {builtIn.map(({ name, query: of }) => {
        const counts = list?.built_in.find((view) => view.name === name);
        return (
          <Entry key={name} icon={icons[name]} name={t.views.builtIn[name]} href={inboxHref(projectId, null, writeQuery(of))} current={current === name} strong={name === "unread"} total={counts?.total} more={counts?.total_is !== undefined} />
        );
      })}
      {saved.map((view) => (
        <Entry
          key={view.id}
          icon="view"
          name={view.name}
          shared={view.shared}
          href={inboxHref(projectId, null, writeQuery(readView(view.query, view.id)))}
          current={current === view.id}
          total={view.total}
          more={view.total_is !== undefined}
          saved
          onEdit={current === view.id && mayChange(view, useDashboard()) ? () => (editing.value = view) : undefined}
        />
      ))}
      {editing.value && <li class="nav-dialog"><pages.view.Page projectId={projectId} view={editing.value} onClose={() => (editing.value = null)} /></li>}
    </>
  );
}

/** A view is current as long as one is in it, whatever was filtered further or searched for. */
function currentView(query: FeedbackQuery | null, saved: readonly View[]): string | null {
  if (!query) return null;
  if (query.view && saved.some(({ id }) => id === query.view)) return query.view;
  return builtInOf(query);
}

/** As the server holds it: one's own, and shared ones of others for who manages the organisation. */
export function mayChange(view: View, { workspace }: Pick<ReturnType<typeof useDashboard>, "workspace">): boolean {
  const own = view.owner_id === workspace.me.value?.user.id;
  return view.shared ? workspace.canManage.value || (own && workspace.canTriage.value) : own;
}

/** Counts follow what happens in the project, and who comes back sees no old ones. */
function useFresh(projectId: string): void {
  const { live, views, session } = useDashboard();
  useEffect(() => {
    const look = (): void => void (document.hidden || views.stale());
    document.addEventListener("visibilitychange", look);
    // A subscription and no reading while drawing: the sidebar is not drawn anew with every change.
    let first = true;
    const unsubscribe = session.state.peek().name === "in" ? live().changes.subscribe(() => void (first ? (first = false) : views.stale())) : () => undefined;
    return () => {
      document.removeEventListener("visibilitychange", look);
      unsubscribe();
    };
  }, [projectId, session.state.value.name]);
}

interface EntryProps {
  icon: IconName;
  name: string;
  href: string;
  current: boolean;
  total: number | undefined;
  more: boolean;
  strong?: boolean;
  saved?: boolean;
  shared?: boolean;
  onEdit?: (() => void) | undefined;
}

function Entry({ icon, name, href, current, total, more, strong = false, saved = false, shared = false, onEdit }: EntryProps) {
  return (
    <li class={saved ? "nav-view saved" : "nav-view"}>
      <a href={href} aria-current={current ? "page" : undefined} class={strong && total ? "strong" : undefined} data-testid={saved ? "saved-view" : undefined}>
        <Icon name={icon} />
        <bdi class="cut" title={saved ? name : undefined}>{name}</bdi>
        {shared && <span class="visually-hidden">, {t.views.shared}</span>}
        {total !== undefined && total > 0 && (
          <span class="nav-count">
            <span aria-hidden="true" data-testid="view-count">{t.views.count(total, more)}</span>
            <span class="visually-hidden">, {t.views.countLabel(total, more)}</span>
          </span>
        )}
      </a>
      {onEdit && (
        <button type="button" class="icon-button" aria-label={t.views.edit(name)} title={t.views.editTitle} data-testid="view-edit" onClick={onEdit}>
          <Icon name="more" />
        </button>
      )}
    </li>
  );
}
