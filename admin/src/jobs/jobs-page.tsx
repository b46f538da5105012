import { signal, useSignal } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";
import { useDashboard } from "../context";
import type { JobNews } from "../live/jobs";
import { navigate } from "../router";
import type { Api } from "../session/api";
import type { Job, Project } from "../session/types";
import { readQuery, viewBody } from "../inbox/query";
import { t } from "../text/en";
import { jobs as words } from "../text/en-jobs";
import { formatMoment } from "../text/format";
import { isolate } from "../text/isolate";
import { Icon } from "../ui/icons";
import { Empty } from "../ui/notices";
import { ExportDialog } from "./export-dialog";
import { ImportDialog } from "./import-dialog";

/** How often the list is read while something runs: for its figures where no socket tells them, and for its links. */
const readMs = 2_000;

const isFinal = (status: Job["status"]): boolean => status === "succeeded" || status === "failed" || status === "cancelled";

/** The jobs of one project, read again for as long as one of them runs. */
function createJobs(api: Pick<Api, "jobs">, projectId: string) {
  const list = signal<readonly Job[] | null>(null);
  const failed = signal(false);
  let timer: ReturnType<typeof setTimeout> | undefined;
  async function read(): Promise<void> {
    clearTimeout(timer);
    try {
      list.value = (await api.jobs()).filter((job) => job.project_id === projectId);
      failed.value = false;
    } catch {
      failed.value = true;
    }
    clearTimeout(timer);
    if (failed.peek() || list.peek()?.some(({ status }) => !isFinal(status))) timer = setTimeout(read, readMs);
  }
  return { list, failed, read, close: () => clearTimeout(timer) };
}

/** What the list was narrowed down by, as an export takes it. */
function readFilter(query: URLSearchParams): Record<string, unknown> {
  return viewBody({ ...readQuery(query), sort: "" });
}

/** Export and import of a project, and what became of them. */
export function JobsPage({ project, query }: { project: Project; query: URLSearchParams }) {
  const { api, live, workspace } = useDashboard();
  const jobs = useMemo(() => createJobs(api, project.id), []);
  const exporting = useSignal(query.has("export"));
  const importing = useSignal(false);
  const news = live().jobs.value;
  useEffect(() => {
    document.title = `${words.title} · ${isolate(project.name)} · ${t.product}`;
    // Followed for what is told of its jobs, too.
    const unwatch = live().watch(project.id, { received() {}, updated() {}, erased() {}, conversed() {}, fresh() {} });
    void jobs.read();
    return () => {
      jobs.close();
      unwatch();
    };
  }, []);
  // What ended has a link by now, and what began is not in the list yet.
  const told = [...news].map(([id, { finished }]) => id + finished).join();
  useEffect(() => void (told && jobs.read()), [told]);

  const filter = useMemo(() => (query.has("export") ? readFilter(query) : null), []);
  const list = jobs.list.value;
  const actions = workspace.canTriage.value && (
    <span class="page-actions">
      {workspace.canManage.value && <button type="button" class="button" data-testid="new-import" onClick={() => (importing.value = true)}>{words.import}</button>}
      <button type="button" class="button primary" data-testid="new-export" onClick={() => (exporting.value = true)}>{words.export}</button>
    </span>
  );
  return (
    <div class="page" data-testid="jobs">
      <header class="page-head">
        <div>
          <h1>{words.title}</h1>
          <p class="faint">{words.lead}</p>
        </div>
        {actions}
      </header>
      {jobs.failed.value && (
        <p class="banner bad" role="alert">{words.failed} <button type="button" class="link" onClick={() => jobs.read()}>{t.common.retry}</button></p>
      )}
      {list === null && !jobs.failed.value && <div class="boot-bar" role="status" aria-label={t.common.loading} />}
      {list?.length === 0 && <Empty icon="jobs" title={words.none} lead={words.noneLead} testid="jobs-none" />}
      {list && list.length > 0 && (
        <ul class="jobs" aria-label={words.list}>
          {list.map((job) => <JobRow key={job.id} job={job} news={news.get(job.id)} onCancelled={() => jobs.read()} />)}
        </ul>
      )}
      {exporting.value && (
        <ExportDialog
          projectId={project.id}
          filter={filter}
          onStarted={() => jobs.read()}
          onClose={() => {
            exporting.value = false;
            // A reload does not ask again.
            navigate(`/projects/${project.id}/jobs`, { replace: true });
          }}
        />
      )}
      {importing.value && <ImportDialog projectId={project.id} onStarted={() => jobs.read()} onClose={() => (importing.value = false)} />}
    </div>
  );
}

function JobRow({ job, news, onCancelled }: { job: Job; news: JobNews | undefined; onCancelled(): void }) {
  const { api, notices, workspace } = useDashboard();
  const running = !isFinal(job.status);
  // Whatever is further: the socket tells more often than the list is read.
  const done = Math.max(job.done, running ? (news?.done ?? 0) : 0);
  const total = Math.max(job.total, running ? (news?.total ?? 0) : 0);
  const name = job.kind === "export" ? words.kinds.export : job.dry_run ? words.kinds.look : words.kinds.import;
  const cancel = (): void => void api.cancelJob(job.id).then(onCancelled, () => notices.show(words.cancelFailed, "bad"));
  return (
    <li class="job" data-testid="job" data-status={job.status}>
      <span class={`job-mark ${job.status}`}><Icon name={job.status === "failed" ? "alert" : job.status === "succeeded" ? "check" : "jobs"} /></span>
      <div class="job-main">
        <p class="with-icon"><span class="strong">{name}</span><span class="faint">{words.statuses[job.status]}</span></p>
        <p class="faint">
          <time dateTime={job.created_at}>{formatMoment(job.created_at)}</time>
          {" · "}
          {running && total > 0 ? words.progress(done, total) : words.rows(done)}
          {job.refused ? ` · ${words.refused(job.refused)}` : ""}
        </p>
        {running && <progress class="job-progress" aria-label={name} value={total > 0 ? done : undefined} max={Math.max(total, 1)} />}
        {job.error && <p class="job-error">{job.error}</p>}
        {news && news.lines.length > 0 && (
          <details>
            <summary>{words.lines}</summary>
            <ol class="job-lines">{news.lines.map((line, at) => <li key={at}>{line}</li>)}</ol>
          </details>
        )}
      </div>
      <div class="job-actions">
        {running && workspace.canTriage.value && <button type="button" class="button small" data-testid="cancel-job" onClick={cancel}>{words.cancel}</button>}
        {job.download_url && (
          <a class="button small" href={job.download_url} download data-testid="download">{job.kind === "export" ? words.download : words.report}</a>
        )}
      </div>
    </li>
  );
}
