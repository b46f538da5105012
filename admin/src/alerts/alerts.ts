import { effect } from "@preact/signals";
import type { Dashboard } from "../context";
import type { ServerEvent } from "../live/events";
import { inboxHref, navigate, route } from "../router";
import { createBadge } from "./badge";
import { createChime } from "./chime";
import { createHerald } from "./herald";
import { focusedAnywhere, lead, tellFocus } from "./leading";
import { newsIn, type News } from "./news";
import { notify } from "./notify";

/** Tells somebody who does not look at the list of what comes in. */
export interface Alerts {
  heard(event: ServerEvent): void;
  close(): void;
}

/** What one tab tells the others: each watches its own project, and one of them acts for all. */
interface Told {
  me: string;
  news: News;
}

const gestures = ["pointerdown", "keydown"] as const;

export function startAlerts({ api, views, workspace }: Pick<Dashboard, "api" | "views" | "workspace">): Alerts {
  const end = new AbortController();
  const { signal } = end;
  const badge = createBadge();
  const chime = createChime(Date.now);
  const notifying = lead("earshot-notify", signal);
  const channel = new BroadcastChannel("earshot-news");
  let sounding = { value: false };

  /** Only a tab that may make a sound stands for election as the one that does. */
  async function touched(): Promise<void> {
    await chime.ready().catch(() => undefined);
    for (const gesture of gestures) removeEventListener(gesture, touched, true);
    sounding = lead("earshot-sound", signal);
  }
  for (const gesture of gestures) addEventListener(gesture, touched, { capture: true, once: true, signal });

  const herald = createHerald({
    assignee: async (id) => (await api.feedback(id)).assignee_id,
    me: () => workspace.me.peek()?.user.id ?? "",
    sound: () => void (sounding.value && chime.play()),
    async show(list) {
      if (!notifying.value || (await focusedAnywhere())) return;
      const name = workspace.projects.peek()?.find(({ id }) => id === list[0]?.projectId)?.name ?? "";
      notify(list, name, (projectId, feedbackId) => navigate(inboxHref(projectId, feedbackId)));
    },
    later: (work, ms) => setTimeout(work, ms),
  });

  channel.onmessage = ({ data }: MessageEvent<Told>) => void (data.me === workspace.me.peek()?.user.id && herald.take(data.news));
  tellFocus(signal);
  const stop = effect(() => badge.show(views.list.value?.built_in.find(({ name }) => name === "unread")?.total ?? 0));

  return {
    heard(event) {
      const me = workspace.me.peek()?.user.id;
      const news = me ? newsIn(event, me) : null;
      if (!me || !news || looksAt(news.feedbackId)) return;
      channel.postMessage({ me, news } satisfies Told);
      herald.take(news);
    },
    close() {
      end.abort();
      stop();
      badge.close();
      channel.close();
      herald.close();
      chime.close();
    },
  };
}

/** It is open in front of this person. */
function looksAt(feedbackId: string): boolean {
  const place = route.peek();
  return place.name === "inbox" && place.feedbackId === feedbackId && document.hasFocus();
}
