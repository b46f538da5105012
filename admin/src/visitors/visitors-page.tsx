import { useDashboard } from "../context";
import { useTitle } from "../entry/card";
import type { Project } from "../session/types";
import { visitors as words } from "../text/en-visitors";
import { isolate } from "../text/isolate";
import { Blocks } from "./blocks";
import { Erasing } from "./erase";
import { Identity } from "./identity";

export { EraseVisitor } from "./erase";

/** Who writes to this project. */
export function VisitorsPage({ project }: { project: Project }) {
  const { workspace } = useDashboard();
  useTitle(`${words.title} · ${isolate(project.name)}`);
  const manages = workspace.canManage.value;
  return (
    <div class="page" data-testid="visitors">
      <header class="page-head"><div><h1>{words.title}</h1><p class="lead">{words.lead}</p></div></header>
      {workspace.canTriage.value && <Blocks projectId={project.id} />}
      {manages && <Identity projectId={project.id} />}
      {manages && <Erasing projectId={project.id} />}
    </div>
  );
}
