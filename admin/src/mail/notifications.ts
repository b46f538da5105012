import { signal, type ReadonlySignal } from "@preact/signals";
import type { components } from "../../../realtime/protocol/ts";
import type { Session } from "../session/session";

export type Notifications = components["schemas"]["Notifications"];
type Choices = components["schemas"]["NotificationChoices"];
export type NotifyMode = Choices["projects"][number]["new_feedback"];

export type NotifyState = { name: "loading" } | { name: "failed" } | { name: "ready"; chosen: Notifications };

export interface Notifying {
  state: ReadonlySignal<NotifyState>;
  read(): Promise<void>;
  /** Shown at once and stored in order; resolves once it is, and throws what kept it from being, with the old choice back. */
  change(part: Partial<Choices>): Promise<void>;
}

/** What the person who is signed in is mailed, kept on the server. */
export function createNotifying({ request }: Pick<Session, "request">): Notifying {
  const state = signal<NotifyState>({ name: "loading" });
  /** As the server has it. */
  let stored: Notifications | null = null;
  /** Each change waits for the one before: the last one made is the last one stored. */
  let last: Promise<unknown> = Promise.resolve();
  let changes = 0;

  const show = (chosen: Notifications): void => void (state.value = { name: "ready", chosen });

  return {
    state,
    async read() {
      state.value = { name: "loading" };
      try {
        stored = await request<Notifications>("GET", "/me/notifications");
        show(stored);
      } catch {
        state.value = { name: "failed" };
      }
    },
    change(part) {
      const now = state.peek();
      if (now.name !== "ready") return Promise.resolve();
      const wanted = { ...now.chosen, ...part };
      show(wanted);
      const change = ++changes;
      const { time_zone, answers, projects } = wanted;
      const done = last.then(async () => {
        try {
          stored = await request<Notifications>("PUT", "/me/notifications", { time_zone, answers, projects } satisfies Choices);
        } finally {
          // Not where a later change is on its way: it brings the answer, and holds this one.
          if (change === changes && stored) show(stored);
        }
      });
      last = done.catch(() => undefined);
      return done;
    },
  };
}

export function modeOf(chosen: Notifications, projectId: string): NotifyMode {
  return chosen.projects.find(({ project_id }) => project_id === projectId)?.new_feedback ?? "never";
}

/** The list with one project's mode changed; never is not being in it. */
export function withMode(chosen: Notifications, projectId: string, mode: NotifyMode): Choices["projects"] {
  const others = chosen.projects.filter(({ project_id }) => project_id !== projectId);
  return mode === "never" ? others : [...others, { project_id: projectId, new_feedback: mode }];
}

/** All zones that the browser knows, and the chosen one where it does not. */
export function zones(chosen: string): readonly string[] {
  return [...new Set(["UTC", chosen, ...Intl.supportedValuesOf("timeZone")])].sort();
}

export const deviceZone = (): string => Intl.DateTimeFormat().resolvedOptions().timeZone;
