import { batch, type ReadonlySignal } from "@preact/signals";
import type { navigate, Route } from "../router";
import { t } from "../text/en";
import type { Notices } from "../ui/notices";
import type { Workspace } from "../workspace";

export interface LeaveDeps {
  workspace: Pick<Workspace, "projects" | "remove">;
  notices: Pick<Notices, "show">;
  place: ReadonlySignal<Route>;
  go: typeof navigate;
}

/**
 * Somebody else deleted a project: it leaves the list, and whoever looks at it is led back to the projects that there
 * are, with the reason. Both in one step, or the page would say for a moment that the project never existed.
 */
export function leaveDeleted({ workspace, notices, place, go }: LeaveDeps, projectId: string): void {
  const project = workspace.projects.peek()?.find(({ id }) => id === projectId);
  const here = place.peek();
  batch(() => {
    // In place of the dead address: the way back would only lead to nothing.
    if ("projectId" in here && here.projectId === projectId) go("/", { replace: true });
    workspace.remove(projectId);
  });
  // Unknown here means that it was told before, or that the list is not read yet and will not have it.
  if (project) notices.show(t.projects.deleted(project.name), "bad");
}
