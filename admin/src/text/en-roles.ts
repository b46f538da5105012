import type { Role } from "../session/types";

/** From most to least. */
export const roles: readonly Role[] = ["owner", "admin", "agent", "viewer"];

export const roleNames: Record<Role, string> = { owner: "Owner", admin: "Admin", agent: "Agent", viewer: "Viewer" };

/** What each may do, in a line. */
export const roleLines: Record<Role, string> = {
  owner: "Everything, and says who the other owners are.",
  admin: "Projects and their settings, the team, API keys, the audit log, and erasing feedback.",
  agent: "Answers feedback, takes notes, sets statuses and tags, and exports.",
  viewer: "Reads everything and changes nothing.",
};
