import { batch } from "@preact/signals";
import type { Api } from "../session/api";
import { Problem } from "../session/problem";
import type { PaneState } from "./panes";
import * as list from "./rows";

/** Reads the item of the right pane. */
export interface Opening {
  /** Null closes the pane. The youngest call wins. Never rejects; `detail` says how it went. */
  open(id: string | null): Promise<void>;
  stop(): void;
}

export function createOpening(api: Pick<Api, "feedback">, projectId: string, panes: PaneState): Opening {
  const { detail, opened, openId, rows } = panes;
  let opening: AbortController | null = null;
  return {
    async open(id) {
      opening?.abort();
      const mine = (opening = new AbortController());
      batch(() => {
        openId.value = id;
        opened.value = null;
        detail.value = id ? { name: "loading", id } : { name: "none" };
      });
      if (!id) return;
      try {
        const item = await api.feedback(id, mine.signal);
        if (opening !== mine) return;
        // A link may join one project's address with another's item; here it would be shown under the wrong name.
        if (item.project_id !== projectId) {
          detail.value = { name: "gone" };
          return;
        }
        batch(() => {
          opened.value = item;
          detail.value = { name: "shown" };
          rows.value = list.replace(rows.peek(), item);
        });
      } catch (error) {
        if (opening !== mine) return;
        // Refused is as good as gone: asking again would be refused again. Everything else may pass.
        detail.value = error instanceof Problem && error.status < 500 ? { name: "gone" } : { name: "failed", id };
      }
    },
    stop: () => opening?.abort(),
  };
}
