import { lazy } from "../lazy";
import type { Route } from "../router";
import { lateStyles } from "./late-styles";

const acting = () => import("../inbox/acting");
const links = () => import("../entry/links");
/** With the style sheet of the pages that are rarely the first. */
const late = <T,>(load: () => Promise<T>): Promise<T> => Promise.all([load(), lateStyles()]).then(([module]) => module);

/** Each page is a chunk of its own: who answers feedback never loads the settings. */
export const pages = {
  inbox: lazy(() => import("../inbox/inbox-page").then((module) => module.InboxPage)),
  projects: lazy(() => import("../pages/projects").then((module) => module.ProjectsPage)),
  install: lazy(() => import("../pages/install").then((module) => module.InstallPage)),
  insights: lazy(() => import("../insights/insights-page").then((module) => module.InsightsPage)),
  jobs: lazy(() => import("../jobs/jobs-page").then((module) => module.JobsPage)),
  visitors: lazy(() => late(() => import("../visitors/visitors-page")).then((module) => module.VisitorsPage)),
  eraseVisitor: lazy(() => late(() => import("../visitors/visitors-page")).then((module) => module.EraseVisitor)),
  settings: lazy(() => import("../pages/settings").then((module) => module.SettingsPage)),
  preferences: lazy(() => import("../pages/preferences").then((module) => module.PreferencesPage)),
  login: lazy(() => import("../entry/login").then((module) => module.LoginPage)),
  setup: lazy(() => import("../entry/setup").then((module) => module.SetupPage)),
  forgot: lazy(() => late(links).then((module) => module.ForgotPage)),
  reset: lazy(() => late(links).then((module) => module.ResetPage)),
  verify: lazy(() => late(links).then((module) => module.VerifyPage)),
  signup: lazy(() => late(links).then((module) => module.SignUpPage)),
  join: lazy(() => late(links).then((module) => module.JoinPage)),
  account: lazy(() => late(() => import("../account/account-page")).then((module) => module.AccountPage)),
  team: lazy(() => late(() => import("../team/team-page")).then((module) => module.TeamPage)),
  keys: lazy(() => late(() => import("../programs/keys-page")).then((module) => module.KeysPage)),
  audit: lazy(() => late(() => import("../audit/audit-page")).then((module) => module.AuditPage)),
  item: lazy(() => acting().then((module) => module.DetailPane)),
  conflict: lazy(() => acting().then((module) => module.ConflictDialog)),
  filters: lazy(() => acting().then((module) => module.FilterPanel)),
  selection: lazy(() => acting().then((module) => module.SelectionBar)),
  picking: lazy(() => acting().then((module) => module.Picking)),
  view: lazy(() => acting().then((module) => module.ViewDialog)),
  palette: lazy(() => import("../palette/palette").then((module) => module.Palette)),
  canned: lazy(() => import("../canned/canned-picker").then((module) => module.CannedPicker)),
  help: lazy(() => import("./help").then((module) => module.HelpSheet)),
};

/** Starts loading a page's code while the session is still being asked for. */
export function preloadRoute(route: Route): void {
  if (route.name !== "missing") pages[route.name].preload();
  if (route.name === "inbox" && route.feedbackId) pages.item.preload();
}
