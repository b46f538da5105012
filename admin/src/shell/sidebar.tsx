import { useSignal } from "@preact/signals";
import { useDashboard } from "../context";
import { readSingleKeys, readTheme, writeSingleKeys, writeTheme, type Theme } from "../preferences";
import { inboxHref, navigate, type Route } from "../router";
import type { Me } from "../session/types";
import { t } from "../text/en";
import { explain } from "../workspace";
import { Choice, Switch } from "../ui/field";
import { Brand, Icon, type IconName } from "../ui/icons";
import { Menu, MenuItem } from "../ui/menu";
import { NavViews } from "../views/nav-views";
import { ConnectionState } from "./connection";

interface SidebarProps {
  place: Route;
  projectId: string | null;
  onHelp(): void;
  onPalette(): void;
}

/** One element for both shapes: a column beside the page, or a bar above it where the screen is narrow. */
export function Sidebar({ place, projectId, onHelp, onPalette }: SidebarProps) {
  return (
    <header class="side">
      <div class="side-top">
        <ProjectPicker projectId={projectId} />
        <button type="button" class="icon-button end" aria-label={t.palette.open} title={`${t.palette.open} (Ctrl/⌘ K)`} aria-keyshortcuts="Control+K Meta+K" data-testid="palette-open" onClick={onPalette}><Icon name="search" /></button>
      </div>
      <nav class="nav" aria-label={t.nav.label}>
        <ul>{projectId ? <ProjectNav place={place} projectId={projectId} /> : <OrganizationNav place={place} />}</ul>
      </nav>
      <div class="side-end">
        <ConnectionState active={projectId !== null} />
        <AccountMenu onHelp={onHelp} />
      </div>
    </header>
  );
}

function link(href: string, icon: IconName, label: string, current: boolean) {
  return (
    <li>
      <a href={href} aria-current={current ? "page" : undefined}>
        <Icon name={icon} />
        <span>{label}</span>
      </a>
    </li>
  );
}

/** The project's views, and its pages below them. */
function ProjectNav({ place, projectId }: { place: Route; projectId: string }) {
  return (
    <>
      <NavViews place={place} projectId={projectId} />
      {link(`/projects/${projectId}/install`, "install", t.nav.install, place.name === "install")}
      {link(`/projects/${projectId}/insights`, "insights", t.nav.insights, place.name === "insights")}
      {link(`/projects/${projectId}/jobs`, "jobs", t.nav.jobs, place.name === "jobs")}
      {link(`/projects/${projectId}/visitors`, "user", t.nav.visitors, place.name === "visitors")}
      {link(`/projects/${projectId}/settings`, "settings", t.nav.settings, place.name === "settings")}
    </>
  );
}

/** What the organisation has outside of its projects. Only what the role allows is offered. */
function OrganizationNav({ place }: { place: Route }) {
  const { workspace } = useDashboard();
  // Which of them there are is not known before: a list that grows would move under the pointer.
  if (!workspace.me.value) return null;
  return (
    <>
      {link("/", "projects", t.nav.projects, place.name === "projects")}
      {link("/team", "team", t.nav.team, place.name === "team")}
      {workspace.canManage.value && link("/api-keys", "key", t.nav.apiKeys, place.name === "keys")}
      {workspace.canManage.value && link("/audit", "audit", t.nav.audit, place.name === "audit")}
      {link("/account", "user", t.nav.profile, place.name === "account")}
    </>
  );
}

/** Switches to another project's inbox; outside of a project it is the way home. */
function ProjectPicker({ projectId }: { projectId: string | null }) {
  const { workspace } = useDashboard();
  const projects = workspace.projects.value ?? [];
  const current = projects.find(({ id }) => id === projectId);
  // Also while the list is not read: a name that appears is calmer than one that changes.
  if (!current) {
    return (
      <a class="picker" href="/">
        <Brand />
        <span class="picker-name">{t.product}</span>
      </a>
    );
  }
  return (
    <Menu
      class="picker"
      testid="project-picker"
      face={
        <>
          <Brand />
          <span class="visually-hidden">{t.nav.project} </span>
          <bdi class="picker-name">{current.name}</bdi>
          <Icon name="chevron" class="faint" />
        </>
      }
    >
      {/* The inbox of the other project and not the same page of it: an open item is not there. */}
      {projects.map((project) => (
        <MenuItem key={project.id} checked={project.id === projectId} onPick={() => navigate(inboxHref(project.id, null))}>
          <bdi class="cut">{project.name}</bdi>
          {project.id === projectId && <Icon name="check" class="end" />}
        </MenuItem>
      ))}
      <hr />
      <MenuItem onPick={() => navigate("/")}>
        <Icon name="projects" />
        {t.nav.projects}
      </MenuItem>
    </Menu>
  );
}

/** Who is signed in, and the choices of this device. A dialog to assistive tools, because a menu must hold no switches. */
function AccountMenu({ onHelp }: { onHelp(): void }) {
  const { workspace, session, notices } = useDashboard();
  const theme = useSignal<Theme>(readTheme());
  const single = useSignal(readSingleKeys());
  // The name is the account's own; the address stands in until somebody has given one.
  const me = workspace.me.value;
  const name = me ? me.user.name || me.user.email : "";
  const item = (href: string, label: string) => <a class="menu-item" href={href} onClick={(event) => closeMenu(event.currentTarget)}>{label}</a>;
  return (
    <Menu class="account" testid="account-menu" align="end" side={wide() ? "above" : "below"} role="dialog" face={
      <>
        <span class="avatar" aria-hidden="true">{initial(name)}</span>
        <span class="visually-hidden">{t.nav.account} </span>
        <bdi class="account-name">{name}</bdi>
      </>
    }>
      {me && (
        <div class="menu-head">
          <bdi class="cut strong">{name}</bdi>
          <bdi class="cut faint">{me.user.email}</bdi>
          <bdi class="cut faint">{me.organization.name}</bdi>
        </div>
      )}
      {me && me.organizations.length > 1 && <Organizations me={me} />}
      {/* Applied as they are picked: there is nothing to save, and the effect is the preview. */}
      <Choice legend={t.nav.theme} name="theme" value={theme.value} options={t.nav.themes} onPick={(next) => writeTheme((theme.value = next))} />
      <Switch label={t.nav.keys} checked={single.value} onToggle={(on) => writeSingleKeys((single.value = on))} />
      <hr />
      {item("/account", t.nav.profile)}
      {item("/preferences", t.preferences.title)}
      {item("/team", t.nav.team)}
      {workspace.canManage.value && item("/api-keys", t.nav.apiKeys)}
      {workspace.canManage.value && item("/audit", t.nav.audit)}
      <hr />
      {/* The menu goes first: a dialog over an open popover would share the top layer with it. */}
      <button type="button" class="menu-item" onClick={(event) => { closeMenu(event.currentTarget); onHelp(); }}>
        {t.nav.help}
        <kbd class="end">?</kbd>
      </button>
      <button type="button" class="menu-item" data-testid="sign-out" onClick={() => session.logout().catch((error: unknown) => notices.show(explain(error), "bad"))}>
        {t.nav.signOut}
      </button>
    </Menu>
  );
}

/** Where else the person is a member. The whole dashboard starts afresh there, in all of their windows. */
function Organizations({ me }: { me: Me }) {
  const { session, notices } = useDashboard();
  const busy = useSignal(false);
  const move = async (id: string): Promise<void> => {
    if (busy.value || id === me.organization.id) return;
    busy.value = true;
    await session.move(id).catch((error: unknown) => notices.show(explain(error), "bad"));
    busy.value = false;
  };
  return (
    <div role="group" aria-label={t.nav.organizations} class="menu-group">
      {me.organizations.map(({ id, name }) => (
        <button type="button" key={id} class="menu-item" aria-pressed={id === me.organization.id} aria-disabled={busy.value} data-testid="organization" onClick={() => move(id)}>
          <bdi class="cut">{name}</bdi>
          {id === me.organization.id && <Icon name="check" class="end" />}
        </button>
      ))}
      <hr />
    </div>
  );
}

function closeMenu(inside: HTMLElement): void {
  inside.closest<HTMLElement>("[popover]")?.hidePopover();
}

/** The width from which the sidebar is a column; the style sheet says the same. The menu opens away from the edge. */
const wide = (): boolean => matchMedia("(min-width: 64rem)").matches;

/** By code points: half of a surrogate pair is no initial. */
function initial(name: string): string {
  return [...name.trim()][0]?.toUpperCase() ?? "";
}
