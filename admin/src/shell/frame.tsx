import type { Signal } from "@preact/signals";
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { useDashboard } from "../context";
import { useKeys } from "../keys";
import { useCommands, type Command } from "../palette/commands";
import { inboxHref, isEntrance, isOpen, navigate, route, type Route } from "../router";
import { t } from "../text/en";
import { Empty, NoticeList } from "../ui/notices";
import { pages } from "./pages";
import { Sidebar } from "./sidebar";

interface FrameProps {
  unreachable: Signal<boolean>;
  onRetry(): void;
}

/** The outermost component: the page of the route within the shell, or alone where nobody is signed in. */
export function Frame({ unreachable, onRetry }: FrameProps) {
  const { session, notices } = useDashboard();
  const place = route.value;
  const state = session.state.value.name;
  // Not the sign-in page: whether there is a session is exactly what could not be asked.
  if (unreachable.value && state === "unknown") {
    return (
      <main class="alone">
        <Empty alone icon="alert" title={t.common.unreachable}>
          <button type="button" class="button primary" onClick={onRetry}>{t.common.retry}</button>
        </Empty>
      </main>
    );
  }
  // Where the guard is about to lead away from a page, nothing is drawn: it would flash.
  return (
    <>
      {isOpen(place) ? (state === "out" || (state === "in" && !isEntrance(place.name))) && <Bare place={place} /> : <Shell place={place} ready={state === "in"} />}
      <NoticeList notices={notices} />
    </>
  );
}

/** The pages of who is not, or need not be, signed in: no shell, no data. */
function Bare({ place }: { place: Route }) {
  switch (place.name) {
    case "setup":
      return <pages.setup.Page token={place.token} />;
    case "forgot":
      return <pages.forgot.Page />;
    case "reset":
      return <pages.reset.Page />;
    case "verify":
      return <pages.verify.Page />;
    case "signup":
      return <pages.signup.Page />;
    case "join":
      return <pages.join.Page />;
    default:
      return <pages.login.Page />;
  }
}

/** The shell stands while the session is still being asked for, so that signing in by cookie never flashes a form. */
function Shell({ place, ready }: { place: Route; ready: boolean }) {
  const { commands, keys, session, workspace } = useDashboard();
  const help = useSignal(false);
  const palette = useSignal(false);
  const projectId = "projectId" in place ? place.projectId : null;
  // Kept outside of the component: the shell is unmounted with the session, and the place outlives a short one.
  useEffect(() => {
    if (projectId) lastProject = projectId;
  }, [projectId]);
  useEffect(() => {
    // With a modifier, so it is no single key: it works where letters are typed, too.
    const onKey = (event: KeyboardEvent): void => {
      if (event.key.toLowerCase() !== "k" || !(event.ctrlKey || event.metaKey) || event.shiftKey || event.altKey) return;
      event.preventDefault();
      if (!document.querySelector("dialog[open]")) palette.value = true;
    };
    document.addEventListener("keydown", onKey);
    return () => document.removeEventListener("keydown", onKey);
  }, []);
  useCommands(commands, () => shellCommands(projectId, workspace.canManage.peek(), () => (help.value = true), session.logout));
  useKeys(keys, {
    "?": () => (help.value = true),
    "g i": () => {
      // The last one may have been deleted since.
      const target = projectId ?? workspace.projects.peek()?.find(({ id }) => id === lastProject)?.id;
      navigate(target ? inboxHref(target, null) : "/");
    },
  });
  return (
    <div class="shell">
      {/* Not a plain fragment link: the router owns the address, and the fragment would stay in it. */}
      <a class="skip" href="#main" onClick={(event) => { event.preventDefault(); document.getElementById("main")?.focus(); }}>{t.common.skip}</a>
      <Sidebar place={place} projectId={projectId} onHelp={() => (help.value = true)} onPalette={() => (palette.value = true)} />
      <main id="main" class="main" tabIndex={-1}>
        {ready ? <Content place={place} /> : <div class="boot-bar" />}
      </main>
      {palette.value && <pages.palette.Page projectId={projectId} onClose={() => (palette.value = false)} />}
      {help.value && <pages.help.Page onClose={() => (help.value = false)} />}
    </div>
  );
}

/** What can be done everywhere. */
function shellCommands(projectId: string | null, manages: boolean, help: () => void, signOut: () => Promise<void>): readonly Command[] {
  const to = (name: string, href: string, keys?: string): Command => ({ name, run: () => navigate(href), ...(keys ? { keys } : {}) });
  const here = projectId
    ? [
        to(t.palette.goInbox, inboxHref(projectId, null), "G I"),
        to(t.palette.goInsights, `/projects/${projectId}/insights`),
        to(t.palette.goJobs, `/projects/${projectId}/jobs`),
        to(t.palette.goInstall, `/projects/${projectId}/install`),
        to(t.palette.goVisitors, `/projects/${projectId}/visitors`),
        to(t.palette.goSettings, `/projects/${projectId}/settings`),
      ]
    : [];
  return [
    ...here,
    to(t.palette.goProjects, "/"),
    to(t.palette.goTeam, "/team"),
    ...(manages ? [to(t.palette.goKeys, "/api-keys"), to(t.palette.goAudit, "/audit")] : []),
    to(t.palette.goAccount, "/account"),
    to(t.palette.goPreferences, "/preferences"),
    { name: t.help.title, keys: "?", run: help },
    // What fails is told by the account menu's own way out; here the session just stays.
    { name: t.palette.signOut, run: () => void signOut().catch(() => undefined) },
  ];
}

/** `g i` on the list of projects leads back to the inbox that was open last. */
let lastProject: string | null = null;

/** A project that is not in the list is missing, whether it never was or belongs to somebody else. */
function Content({ place }: { place: Route }) {
  const { workspace } = useDashboard();
  if (workspace.failed.value) {
    return (
      <Empty alone icon="alert" title={t.projects.failed} testid="workspace-failed">
        <button type="button" class="button primary" onClick={() => workspace.read()}>{t.common.retry}</button>
      </Empty>
    );
  }
  const projects = workspace.projects.value;
  if (!projects) return <div class="boot-bar" />;
  // From here on the list is known, and every page can rely on its project.
  switch (place.name) {
    case "projects":
      return <pages.projects.Page />;
    case "preferences":
      return <pages.preferences.Page />;
    case "account":
      return <pages.account.Page />;
    case "team":
      return <pages.team.Page />;
    case "keys":
      return <pages.keys.Page />;
    case "audit":
      return <pages.audit.Page />;
  }
  // Out of the list and not asked for by itself: the list is what this person may see.
  const project = "projectId" in place ? projects.find(({ id }) => id === place.projectId) : undefined;
  if (!project) {
    return (
      <Empty alone icon="search" title={place.name === "missing" ? t.missing.title : t.projects.missing} testid="missing">
        <a class="button primary" href="/">{t.missing.action}</a>
      </Empty>
    );
  }
  // Keyed by the project: nothing of one may be seen under the name of another, not even for a moment.
  switch (place.name) {
    case "inbox":
      return <pages.inbox.Page key={project.id} project={project} feedbackId={place.feedbackId} query={place.query} />;
    case "install":
      return <pages.install.Page key={project.id} project={project} />;
    case "insights":
      return <pages.insights.Page key={project.id} project={project} />;
    case "jobs":
      return <pages.jobs.Page key={project.id} project={project} query={place.query} />;
    case "visitors":
      return <pages.visitors.Page key={project.id} project={project} />;
    case "settings":
      return <pages.settings.Page key={project.id} project={project} />;
    default:
      return null;
  }
}
