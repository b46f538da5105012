import type { components, VisitorServerEvent } from "../../../realtime/protocol/ts";
import type { Config } from "../config";
import type { Outbox } from "../outbox";
import { askAs } from "./request";
import { wordsIn } from "./words";

/** What staff said that this visitor has not seen, in whichever tab. */
export interface Replies {
  /** Takes note of a numbered event: whichever tab is first counts a reply as unread. */
  note(event: VisitorServerEvent): void;
  /** Of one item, or of all. */
  unread(id?: string): number;
  /** The same in words; none where there is nothing. */
  words(lang: string, id?: string): string;
  read(id: string): void;
  /** Asks for what was said since, and waits for it up to so many seconds. */
  poll(wait?: number): Promise<void>;
}

export interface RepliesOptions {
  config: Config;
  outbox: Pick<Outbox, "token" | "use">;
  /** What a poll brings. */
  onEvent(event: VisitorServerEvent): void;
}

export function createReplies({ config, outbox, onEvent }: RepliesOptions): Replies {
  const unread = (id?: string): number => outbox.use(({ unread = [] }) => unread.filter((item) => !id || item === id).length);

  async function poll(wait?: number): Promise<void> {
    const token = outbox.token();
    const { epoch, since = 0 } = outbox.use((kept) => kept);
    const request = { method: "POST", body: JSON.stringify({ epoch, since, wait }) };
    const { events } = await askAs<components["schemas"]["VisitorEvents"]>(token, `${config.api}/w/${config.key}/poll`, request);
    if (outbox.token() !== token) return;
    events.forEach(onEvent);
    // Where it cannot be said what came since, all that can be is asked for: better said twice than not at all.
    if (since && events[0]?.type === "ResumeFailed") await poll();
  }

  return {
    note: ({ type, epoch, seq, data }) =>
      outbox.use((kept) => {
        if (type === "ResumeFailed") kept.since = 0;
        if (!seq || (epoch === kept.epoch && seq <= kept.since!)) return;
        Object.assign(kept, { epoch, since: seq });
        if (type === "ReplyPosted") (kept.unread ||= []).push(data.feedback_id);
      }),
    unread,
    words(lang, id) {
      const count = unread(id);
      const { reply, replies } = wordsIn(lang);
      return count > 1 ? replies.replace("#", `${count}`) : count ? reply : "";
    },
    read: (id) => outbox.use((kept) => (kept.unread = kept.unread?.filter((item) => item !== id))),
    poll,
  };
}
