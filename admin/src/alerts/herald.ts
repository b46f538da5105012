import { notificationChoice, soundChoice, type Reach } from "./choices";
import type { News } from "./news";

export interface HeraldDeps {
  /** Whose an item is now. */
  assignee(feedbackId: string): Promise<string | null>;
  me(): string;
  sound(): void;
  /** Everything of the last moment, oldest first. */
  show(news: readonly News[]): void;
  later(work: () => void, ms: number): void;
}

/** News of one moment is told together. */
const gatherMs = 1000;
/** Of as many the places in the log are remembered, to tell each once. */
const most = 1000;

/** Decides what is worth a sound or a notification. Tabs tell each other, so the same news may come several times. */
export function createHerald({ assignee, me, sound, show, later }: HeraldDeps) {
  const seen = new Set<string>();
  let gathered: News[] = [];
  let planned = false;

  /** An item of which nothing can be learned is not somebody's own. */
  async function mine(news: News): Promise<boolean> {
    if (news.kind !== "answer") return news.kind === "assigned";
    return assignee(news.feedbackId).then((id) => id === me(), () => false);
  }

  /** Asks only where the answer matters. */
  async function wanted(reach: Reach, own: () => Promise<boolean>): Promise<boolean> {
    return reach === "all" || (reach === "mine" && (await own()));
  }

  function gather(news: News): void {
    gathered.push(news);
    if (planned) return;
    planned = true;
    later(() => {
      const list = gathered;
      gathered = [];
      planned = false;
      show(list);
    }, gatherMs);
  }

  return {
    async take(news: News): Promise<void> {
      if (seen.has(news.key)) return;
      seen.add(news.key);
      if (seen.size > most) for (const key of seen) if (seen.delete(key)) break;
      let asked: Promise<boolean> | undefined;
      const own = (): Promise<boolean> => (asked ??= mine(news));
      if (await wanted(soundChoice.get(), own)) sound();
      if (await wanted(notificationChoice.get(), own)) gather(news);
    },
  };
}
