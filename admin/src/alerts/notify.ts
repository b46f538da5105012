import { alertWords as words } from "../text/en-alerts";
import type { News } from "./news";

/** A notification is a glance, and a shared screen shows it to everybody. */
const bodyLength = 120;

/** Shows one notification: of the item itself, or of how many there are. A click leads to the (first) item. */
export function notify(list: readonly News[], project: string, go: (projectId: string, feedbackId: string) => void): void {
  const [first] = list;
  if (!first || !("Notification" in window) || Notification.permission !== "granted") return;
  const single = list.length === 1;
  try {
    const shown = new Notification(single ? words.headline[first.kind](project) : words.several(list.length, project), {
      body: single ? [...first.text].slice(0, bodyLength).join("") : "",
      // The newest of an item takes the place of the one before.
      tag: single ? first.feedbackId : first.projectId,
    });
    shown.onclick = () => {
      window.focus();
      go(first.projectId, first.feedbackId);
      shown.close();
    };
  } catch {
    // Some systems allow them to service workers only; sound and title still tell.
  }
}
