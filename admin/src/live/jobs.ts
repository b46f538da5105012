import { signal, type ReadonlySignal } from "@preact/signals";
import type { ServerEvent } from "./events";

type JobEvent = Extract<ServerEvent, { type: "JobStarted" | "LogLine" | "Progress" | "JobFinished" }>;

/** What was told of a job since this window is open. */
export interface JobNews {
  done: number;
  total: number;
  lines: readonly string[];
  /** Null while it is under way. */
  finished: string | null;
}

/** As many lines as somebody reads; the whole is in the job's report. */
const keptLines = 100;

const nothing: JobNews = { done: 0, total: 0, lines: [], finished: null };

/** Jobs as they are told of by the socket. Without one a page asks for them itself. */
export interface JobFeed {
  news: ReadonlySignal<ReadonlyMap<string, JobNews>>;
  heard(event: JobEvent): void;
}

export function createJobFeed(): JobFeed {
  const news = signal<ReadonlyMap<string, JobNews>>(new Map());
  return {
    news,
    heard(event) {
      const old = news.peek().get(event.data.job_id) ?? nothing;
      const next = ((): JobNews => {
        switch (event.type) {
          case "JobStarted":
            return { ...old, lines: [], finished: null };
          case "LogLine":
            return { ...old, lines: [...old.lines, event.data.text].slice(-keptLines) };
          case "Progress":
            return { ...old, done: event.data.done, total: event.data.total };
          case "JobFinished":
            return { ...old, finished: event.data.status };
        }
      })();
      news.value = new Map(news.peek()).set(event.data.job_id, next);
    },
  };
}
