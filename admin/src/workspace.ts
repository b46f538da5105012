import { batch, computed, signal, type ReadonlySignal } from "@preact/signals";
import type { Api } from "./session/api";
import type { Me, Member, Project } from "./session/types";
import { Problem, Unreachable } from "./session/problem";
import { t } from "./text/en";

/** Who is signed in and what they can see: read once a session, kept current by what the pages change. */
export interface Workspace {
  me: ReadonlySignal<Me | null>;
  projects: ReadonlySignal<readonly Project[] | null>;
  failed: ReadonlySignal<boolean>;
  /** Owners and admins change settings and erase items; agents and viewers look at the settings only. */
  canManage: ReadonlySignal<boolean>;
  /** Viewers read only. */
  canTriage: ReadonlySignal<boolean>;
  /** Who else is in the organisation; empty until it was asked for. */
  members: ReadonlySignal<readonly Member[]>;
  /** Reads them once. A failed read is tried again with the next call. */
  readMembers(): Promise<void>;
  /** For who is known by id only. Drawn again when the members come. */
  memberName(id: string): string;
  read(): Promise<void>;
  /** Takes in what a call tells of the person, as a changed name or role, and hands the answer on. */
  know(answer: Promise<Me>): Promise<Me>;
  /** Takes in the project that a call answers with, new or changed, and hands the answer on. */
  put(answer: Promise<Project>): Promise<Project>;
  /** The project is no more. What is not there is not missed: several sources may tell of one deletion. */
  remove(id: string): void;
  /** For the next person. Answers to what was asked before are dropped. */
  clear(): void;
}

/** Empty until read() has succeeded once; a failed read leaves what was there and says so in `failed`. */
export function createWorkspace(api: Api): Workspace {
  const me = signal<Me | null>(null);
  const projects = signal<readonly Project[] | null>(null);
  const failed = signal(false);
  const members = signal<readonly Member[]>([]);
  let reading: Promise<void> | null = null;
  /** Raised by clear(): an answer that was asked for under another number is somebody else's. */
  let person = 0;
  return {
    me,
    projects,
    failed,
    canManage: computed(() => me.value?.role === "owner" || me.value?.role === "admin"),
    canTriage: computed(() => me.value !== null && me.value.role !== "viewer"),
    members,
    readMembers() {
      const asker = person;
      return (reading ??= api.members().then(
        (list) => void (person === asker && (members.value = list)),
        () => void (person === asker && (reading = null)),
      ));
    },
    memberName(id) {
      const mine = me.value?.user;
      if (mine?.id === id) return mine.name || mine.email;
      return members.value.find((member) => member.id === id)?.name ?? t.triage.former;
    },
    async read() {
      // A retry begins without the old failure, or its page would stay in the way of the answer.
      failed.value = false;
      const asker = person;
      try {
        const [who, list] = await Promise.all([api.me(), api.projects()]);
        if (person !== asker) return;
        batch(() => {
          me.value = who;
          projects.value = list;
        });
      } catch {
        if (person === asker) failed.value = true;
      }
    },
    async know(answer) {
      const asker = person;
      const who = await answer;
      // Not before the first read has succeeded: a page without a list of projects could not be shown.
      if (person === asker && me.peek()) me.value = who;
      return who;
    },
    async put(answer) {
      const asker = person;
      const project = await answer;
      const old = projects.peek();
      if (!old || person !== asker) return project;
      const at = old.findIndex(({ id }) => id === project.id);
      // Newest first, as the server lists them: nothing moves when the list is read again.
      projects.value = at < 0 ? [project, ...old] : old.with(at, project);
      return project;
    },
    remove: (id) => void (projects.value = projects.peek()?.filter((project) => project.id !== id) ?? null),
    clear() {
      person++;
      reading = null;
      batch(() => {
        members.value = [];
        me.value = null;
        projects.value = null;
        failed.value = false;
      });
    },
  };
}

/** What went wrong, in words for the person in front of the screen. */
export function explain(error: unknown): string {
  if (error instanceof Unreachable) return t.common.unreachable;
  if (!(error instanceof Problem)) return t.common.unexpected;
  // Refusals of the server are written for people; what went wrong inside of it is not.
  if (error.code === "rate_limited") return t.common.limited;
  return error.status >= 500 ? t.common.unexpected : error.message;
}
