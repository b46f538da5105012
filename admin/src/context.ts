import { createContext } from "preact";
import { useContext } from "preact/hooks";
import type { Keys } from "./keys";
import type { Commands } from "./palette/commands";
import type { Live } from "./live/live";
import type { Api } from "./session/api";
import type { Session } from "./session/session";
import type { Notices } from "./ui/notices";
import type { Views } from "./views/views";
import type { Workspace } from "./workspace";

/** What the pages are given. Made once, at start. */
export interface Dashboard {
  session: Session;
  api: Api;
  workspace: Workspace;
  notices: Notices;
  keys: Keys;
  commands: Commands;
  /** The saved views of the project that is open. */
  views: Views;
  /** The live connection. It exists from the first page that needs it until the session ends. */
  live(): Live;
}

export const DashboardContext = createContext<Dashboard | null>(null);

/** Throws where a component is drawn outside of the dashboard: a mistake of ours, never of a visitor's data. */
export function useDashboard(): Dashboard {
  const dashboard = useContext(DashboardContext);
  if (!dashboard) throw new Error("no dashboard above this component");
  return dashboard;
}
