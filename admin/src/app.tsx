import { effect, signal } from "@preact/signals";
import { options, render } from "preact";
import { onWake, openSocket } from "../../realtime/client";
import type { Alerts } from "./alerts/alerts";
import { DashboardContext, type Dashboard } from "./context";
import { createKeys } from "./keys";
import { createLive, type Live } from "./live/live";
import { createCommands } from "./palette/commands";
import { readSingleKeys, signedInHint } from "./preferences";
import { currentHref, inboxHref, isEntrance, isOpen, loginHref, navigate, route, startRouter } from "./router";
import { createApi } from "./session/api";
import { createSession } from "./session/session";
import { Frame } from "./shell/frame";
import { leaveDeleted } from "./shell/deleted";
import { preloadRoute } from "./shell/pages";
import { onceAFrame } from "./ui/frames";
import { createNotices } from "./ui/notices";
import { createViews } from "./views/views";
import { createWorkspace } from "./workspace";

const session = createSession({
  fetch: (...call) => fetch(...call),
  exclusive: async (work) => (navigator.locks ? await navigator.locks.request("earshot-refresh", work) : work()),
  hint: signedInHint,
  now: Date.now,
});
const api = createApi(session);
const workspace = createWorkspace(api);
const notices = createNotices();
const views = createViews({ api, hidden: () => document.hidden, later: (work, ms) => setTimeout(work, ms), now: Date.now });
const alertsAfterMs = 3000;
// Before the first answer only: later failures belong to the page that meets them.
const unreachable = signal(false);
// Made by the first page that needs it and closed with the session: the sign-in page opens no socket.
let live: Live | null = null;
let alerts: Alerts | undefined;

/** One socket for all projects and pages; each page watches its project on it. */
function connect(): Live {
  return createLive({
    open: openSocket,
    async ticketUrl() {
      const { ticket } = await api.ticket();
      return `${location.origin.replace(/^http/, "ws")}/api/v1/socket?ticket=${encodeURIComponent(ticket)}`;
    },
    log: api,
    access: session.access,
    refresh: session.refresh,
    // Not knowing the new role yet is no failure to show: the server refuses what it does not allow.
    returned: () => void workspace.know(api.me()).catch(() => undefined),
    heard: (event) => alerts?.heard(event),
    deleted: (id) => leaveDeleted({ workspace, notices, place: route, go: navigate }, id),
    online: () => navigator.onLine,
    wake: onWake,
    visibility(work) {
      const look = (): void => work(!document.hidden);
      document.addEventListener("visibilitychange", look);
      look();
      return () => document.removeEventListener("visibilitychange", look);
    },
    now: Date.now,
  });
}

const dashboard: Dashboard = {
  session,
  api,
  workspace,
  notices,
  keys: createKeys(document, readSingleKeys),
  commands: createCommands(),
  views,
  live: () => (live ??= connect()),
};

/** Which organisation this window shows, "" before it is known. */
let organization = "";

/** Keeps the place and the session in step: nobody sees a page without one, nobody signed in sees the sign-in page. */
function guard(): void {
  const place = route.value;
  const state = session.state.value;
  // Whatever was read for one person must not be there for the next.
  if (state.name === "out") {
    live?.close();
    live = null;
    workspace.clear();
    views.show(null);
    organization = "";
    if (!isOpen(place)) {
      navigate(state.reason === "left" ? "/login" : loginHref(currentHref.peek()), { replace: true });
    }
  }
  if (state.name === "in") {
    // The session was moved to another organisation, here or in another window. Nothing of this one's may be left over.
    if (organization && organization !== state.organization) return location.assign("/");
    organization = state.organization;
    // Replaced, or the way back would lead to a form that sends people forward again.
    if (isEntrance(place.name)) navigate(place.name === "login" ? place.next : "/", { replace: true });
    // Peeked at: a read that has failed offers its own retry, and must not start itself again.
    if (!workspace.me.peek() && !workspace.failed.peek()) void workspace.read();
  }
}

/** Finds out whether there is a session. Until then the shell stands empty; a server that is down is not a sign-out. */
async function start(): Promise<void> {
  // Also the retry: while it is under way the shell stands instead of the failure.
  unreachable.value = false;
  try {
    await session.refresh();
  } catch {
    unreachable.value = true;
  }
}

options.debounceRendering = onceAFrame;
// The page's code comes while the session is still being asked for.
startRouter(document);
preloadRoute(route.peek());
effect(guard);
const root = document.getElementById("app");
if (root) {
  // The shell that came with the page; the one that is drawn now looks the same.
  root.replaceChildren();
  render(
    <DashboardContext.Provider value={dashboard}>
      <Frame unreachable={unreachable} onRetry={start} />
    </DashboardContext.Provider>,
    root,
  );
}
void start();
// Nobody waits for these: they come when the first page is there.
setTimeout(() => void import("./alerts/alerts").then(({ startAlerts }) => (alerts = startAlerts({ ...dashboard, place: route, open: (...item) => navigate(inboxHref(...item)) }))).catch(() => undefined), alertsAfterMs);
