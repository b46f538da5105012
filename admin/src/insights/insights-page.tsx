import { signal, useSignal } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";
import { useDashboard } from "../context";
import { kinds, statuses } from "../inbox/query";
import { inboxHref } from "../router";
import type { Api } from "../session/api";
import type { Insights, Project } from "../session/types";
import { t } from "../text/en";
import { insights as words } from "../text/en-insights";
import { formatCount, formatDuration, formatMoment } from "../text/format";
import { isolate } from "../text/isolate";
import { Choice } from "../ui/field";
import { Icon } from "../ui/icons";
import { Empty } from "../ui/notices";
import { Shares, Stack, sum, type Bar } from "./chart";
import { barDays, grouped, lastDays, ranges, type Days } from "./range";

/** What happens meanwhile is taken in no more often than this. */
const refreshMs = 5_000;

interface Shown {
  now: Insights;
  before: Insights;
}

/** Reads a period and the one before it. The youngest read wins. Resolves to false where it has failed. */
function createInsights(api: Pick<Api, "insights">, projectId: string) {
  const shown = signal<Shown | null>(null);
  const failed = signal(false);
  let reading: AbortController | null = null;
  async function read(days: Days): Promise<boolean> {
    reading?.abort();
    const mine = (reading = new AbortController());
    const now = new Date();
    const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
    try {
      const [present, before] = await Promise.all([0, 1].map((back) => api.insights(projectId, lastDays(days, now, back), zone, mine.signal)));
      if (reading !== mine || !present || !before) return true;
      shown.value = { now: present, before };
      failed.value = false;
    } catch {
      if (reading === mine) failed.value = true;
    }
    return !failed.value;
  }
  return { shown, failed, read, stop: () => reading?.abort() };
}

/** What came, about what, and how long visitors waited. */
export function InsightsPage({ project }: { project: Project }) {
  const { api, live } = useDashboard();
  const days = useSignal<Days>(30);
  const insights = useMemo(() => createInsights(api, project.id), []);
  useEffect(() => void (document.title = `${words.title} · ${isolate(project.name)} · ${t.product}`), []);
  useEffect(() => void insights.read(days.value), [days.value]);
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    let last = 0;
    let gone = false;
    const arm = (): void => {
      if (!gone && !document.hidden) timer ??= setTimeout(refresh, refreshMs);
    };
    const refresh = async (): Promise<void> => {
      timer = undefined;
      // The server counts within a second or two of what it tells: what has only just come may not be counted yet.
      const young = Date.now() - last < refreshMs;
      if (!(await insights.read(days.peek())) || young) arm();
    };
    const soon = (): void => {
      last = Date.now();
      arm();
    };
    const unwatch = live().watch(project.id, { received: soon, updated: soon, erased: soon, conversed: soon, fresh: soon });
    return () => {
      gone = true;
      clearTimeout(timer);
      unwatch();
      insights.stop();
    };
  }, []);

  const shown = insights.shown.value;
  return (
    <div class="page wide" data-testid="insights">
      <header class="page-head">
        <h1>{words.title}</h1>
        <Choice legend={words.range} name="range" value={String(days.value)} options={words.ranges as unknown as Record<string, string>} onPick={(next) => (days.value = ranges.find((n) => String(n) === next) ?? 30)} />
      </header>
      {insights.failed.value && (
        <p class="banner bad" role="alert">{words.failed} <button type="button" class="link" onClick={() => insights.read(days.value)}>{t.common.retry}</button></p>
      )}
      {!shown && !insights.failed.value && <div class="boot-bar" role="status" aria-label={t.common.loading} />}
      {shown && <Figures shown={shown} projectId={project.id} />}
    </div>
  );
}

function Figures({ shown: { now, before }, projectId }: { shown: Shown; projectId: string }) {
  const total = sum(now.days.map((day) => day.total));
  if (total === 0) return <Empty icon="insights" title={words.none} lead={words.noneLead} testid="insights-none" />;
  const status = (name: (typeof statuses)[number]): number => sum(now.days.map((day) => day.by_status[name] ?? 0));
  const rated = sum(now.ratings);
  const average = rated > 0 ? sum(now.ratings.map((n, at) => n * (at + 1))) / rated : 0;
  const view = (query: Record<string, string>): string => inboxHref(projectId, null, new URLSearchParams(query));
  return (
    <>
      <dl class="headlines">
        <Headline name={words.received} value={formatCount(total)} note={change(total, sum(before.days.map((day) => day.total)))} testid="received" />
        <Headline name={words.open} value={formatCount(status("new") + status("open") + status("in_progress"))} />
        <Headline name={words.response} {...duration(now.response)} />
        <Headline name={words.resolution} {...duration(now.resolution)} />
        <Headline name={words.rating} value={rated > 0 ? average.toFixed(1) : "–"} note={rated > 0 ? words.average(rated) : words.noTimes} />
      </dl>
      <section class="panel">
        <h2>{words.volume}</h2>
        <Stack title={words.volume} parts={[...kinds.map((kind) => t.kind[kind]), words.noKind]} bars={bars(now)} />
      </section>
      <div class="panels">
        <Shares title={words.statuses} empty="" rows={statuses.map((name) => ({ label: t.status[name], n: status(name), href: view({ status: name }) }))} />
        <Shares title={words.ratings} empty={words.noRatings} rows={rated > 0 ? [5, 4, 3, 2, 1].map((stars) => ({ label: words.stars(stars), n: now.ratings[stars - 1] ?? 0, href: view({ rating: String(stars) }) })) : []} />
        <Shares title={words.pages} empty={words.noPages} rows={pages(now)} />
        <Shares title={words.tags} empty={words.noTags} rows={now.tags.map(({ value, n }) => ({ label: value, n, href: view({ tag: value }) }))} />
      </div>
      <p class="faint with-icon"><Icon name="check" />{words.asOf(formatMoment(now.as_of))}</p>
    </>
  );
}

/** The path comes first, being what tells pages apart. Where all are of one site, its name says nothing. */
export function pages({ pages: list }: Pick<Insights, "pages">): { label: string; after?: string; whole: string; n: number }[] {
  const host = (value: string): string => value.split("/")[0] ?? "";
  const one = new Set(list.map(({ value }) => host(value))).size === 1;
  return list.map(({ value, n }) => {
    const row = { label: value.slice(host(value).length) || "/", whole: value, n };
    return one ? row : { ...row, after: host(value) };
  });
}

const dayName = new Intl.DateTimeFormat(undefined, { month: "short", day: "numeric", timeZone: "UTC" });

/** One bar a day, or a week where there are many. */
function bars({ days }: Insights): Bar[] {
  const size = barDays(days.length);
  return grouped(days, size).map((group) => {
    const last = dayName.format(new Date(`${group.at(-1)?.day}T00:00:00Z`));
    const kind = (name: string): number => sum(group.map((day) => day.by_kind[name] ?? 0));
    return { label: size > 1 ? words.week(last) : last, short: last, parts: [...kinds.map(kind), kind("")] };
  });
}

function change(now: number, before: number): string {
  if (before === 0) return "";
  const percent = Math.round((100 * (now - before)) / before);
  if (percent === 0) return words.same;
  return percent > 0 ? words.more(`${percent} %`) : words.less(`${-percent} %`);
}

function duration({ n, median_ms, p90_ms }: Insights["response"]): { value: string; note: string } {
  if (n === 0) return { value: "–", note: words.noTimes };
  return { value: formatDuration(median_ms), note: `${words.median}; ${words.p90(formatDuration(p90_ms))}` };
}

function Headline({ name, value, note, testid }: { name: string; value: string; note?: string; testid?: string }) {
  return (
    <div class="headline">
      <dt>{name}</dt>
      <dd data-testid={testid}>{value}</dd>
      {note && <dd class="faint">{note}</dd>}
    </div>
  );
}
