import type { ReadonlySignal } from "@preact/signals";
import type { Dashboard } from "../context";
import type { ServerEvent } from "../live/events";
import type { Route } from "../router";
import { createBadge } from "./badge";
import { createChime } from "./chime";
import { createHerald } from "./herald";
import { focusedAnywhere, lead, tellFocus } from "./leading";
import { newsIn, type News } from "./news";
import { notify } from "./notify";

/** Tells somebody who does not look at the list of what comes in, for as long as the window is there. */
export interface Alerts {
  heard(event: ServerEvent): void;
}

/** What one tab tells the others: each watches its own project, and one of them acts for all. */
interface Told {
  me: string;
  news: News;
}

/** Given and not imported: a module shared with the first page would be split off it, and cost that a request. */
export interface AlertsDeps extends Pick<Dashboard, "api" | "views" | "workspace"> {
  place: ReadonlySignal<Route>;
  open(projectId: string, feedbackId: string): void;
}

const gestures = ["pointerdown", "keydown"] as const;

export function startAlerts({ api, views, workspace, place, open }: AlertsDeps): Alerts {
  const badge = createBadge();
  const chime = createChime(Date.now);
  const notifying = lead("earshot-notify");
  const channel = new BroadcastChannel("earshot-news");
  let sounding = { value: false };

  /** Only a tab that may make a sound stands for election as the one that does. */
  async function touched(): Promise<void> {
    // First, for another gesture may come meanwhile: a second candidate of the same tab would wait for the first.
    for (const gesture of gestures) removeEventListener(gesture, touched, true);
    await chime.ready().catch(() => undefined);
    sounding = lead("earshot-sound");
  }
  for (const gesture of gestures) addEventListener(gesture, touched, true);

  const herald = createHerald({
    assignee: async (id) => (await api.feedback(id)).assignee_id,
    me: () => workspace.me.peek()?.user.id ?? "",
    sound: () => void (sounding.value && chime.play()),
    async show(list) {
      if (!notifying.value || (await focusedAnywhere())) return;
      const name = workspace.projects.peek()?.find(({ id }) => id === list[0]?.projectId)?.name ?? "";
      notify(list, name, open);
    },
    later: (work, ms) => setTimeout(work, ms),
  });

  channel.onmessage = ({ data }: MessageEvent<Told>) => void (data.me === workspace.me.peek()?.user.id && herald.take(data.news));
  tellFocus();
  views.list.subscribe((list) => badge.show(list?.built_in.find(({ name }) => name === "unread")?.total ?? 0));

  return {
    heard(event) {
      const me = workspace.me.peek()?.user.id;
      const news = me ? newsIn(event, me) : null;
      if (!me || !news || looksAt(place.peek(), news.feedbackId)) return;
      channel.postMessage({ me, news } satisfies Told);
      herald.take(news);
    },
  };
}

/** It is open in front of this person. */
function looksAt(place: Route, feedbackId: string): boolean {
  return place.name === "inbox" && place.feedbackId === feedbackId && document.hasFocus();
}
