import { Problem, Unreachable } from "../session/problem";
import type { ClientEvent, EventData } from "./events";

/** An event that the server answers by MessageAccepted or MessageRejected, both of which name its id. */
export type Question = Extract<ClientEvent, { type: "ReplySent" | "NoteAdded" }>;

/** An answer takes a commit, not seconds; what is asked again by another way is the same message all the same. */
const answerMs = 8_000;

/** Events that wait for their answer. Nothing is repeated here: whoever asked knows other ways. */
export interface Asking {
  /**
   * Resolves once it is on disk. Rejects with a Problem where it was refused, and with Unreachable where no answer came,
   * which leaves open whether it arrived. Null: there is no socket to ask by.
   */
  ask(question: Question): Promise<void> | null;
  accepted(re: string | undefined): void;
  /** Whether it was an answer to one of these. */
  rejected(re: string | undefined, refusal: Pick<EventData<"MessageRejected">, "code" | "message" | "retry_after_ms">): boolean;
  /** The connection is gone, and with it every answer. */
  lost(): void;
}

export function createAsking(send: (event: ClientEvent) => boolean): Asking {
  const open = new Map<string, { done(): void; fail(error: unknown): void }>();

  function take(re: string | undefined) {
    const found = re === undefined ? undefined : open.get(re);
    if (re !== undefined) open.delete(re);
    return found;
  }

  return {
    ask(question) {
      if (!send(question)) return null;
      return new Promise((resolve, reject) => {
        const late = setTimeout(() => take(question.id)?.fail(new Unreachable("no answer")), answerMs);
        const ended = (settle: () => void): void => {
          clearTimeout(late);
          settle();
        };
        open.set(question.id, { done: () => ended(resolve), fail: (error) => ended(() => reject(error)) });
      });
    },
    accepted: (re) => take(re)?.done(),
    rejected(re, { code, message, retry_after_ms }) {
      const asked = take(re);
      // The wire code decides what is shown; a socket has no status, so one of its kind stands in.
      const status = code === "internal" || code === "unavailable" || code === "storage_full" ? 503 : 422;
      asked?.fail(new Problem(status, code, message, [], undefined, retry_after_ms ?? null));
      return asked !== undefined;
    },
    lost() {
      const all = [...open.values()];
      open.clear();
      for (const { fail } of all) fail(new Unreachable("connection lost"));
    },
  };
}
