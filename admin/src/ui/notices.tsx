import { signal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { t } from "../text/en";
import { Icon, type IconName } from "./icons";

interface Notice {
  id: number;
  text: string;
  tone: "plain" | "bad";
}

/** The messages at the edge of the screen. One service a page: the components that show and send them share it. */
export function createNotices() {
  const list = signal<readonly Notice[]>([]);
  // Ids only tell notices apart for drawing; they mean nothing beyond this page.
  let count = 0;
  const dismiss = (id: number): void => void (list.value = list.peek().filter((notice) => notice.id !== id));
  return {
    list,
    dismiss,
    show(text: string, tone: Notice["tone"] = "plain"): void {
      // Three at most: a pile of messages is read by nobody and covers what they are about.
      const id = ++count;
      list.value = [...list.peek().slice(-2), { id, text, tone }];
      // Bad news waits longer: it has to be read, not only noticed.
      setTimeout(() => dismiss(id), tone === "bad" ? 12_000 : 4_000);
    },
  };
}

export type Notices = ReturnType<typeof createNotices>;

/** One polite region, there before the first notice: screen readers miss what appears together with its region. */
export function NoticeList({ notices }: { notices: Notices }) {
  return (
    <div class="notices" role="status" aria-live="polite">
      {notices.list.value.map((notice) => (
        <div key={notice.id} class={`notice ${notice.tone}`} data-testid="notice">
          <Icon name={notice.tone === "bad" ? "alert" : "check"} />
          <span>{notice.text}</span>
          <button type="button" class="icon-button" aria-label={t.common.close} onClick={() => notices.dismiss(notice.id)}>
            <Icon name="close" />
          </button>
        </div>
      ))}
    </div>
  );
}

interface EmptyProps {
  icon: IconName;
  title: string;
  lead?: string;
  children?: ComponentChildren;
  testid?: string;
  /** It is all there is on the page, and its title therefore the page's. */
  alone?: boolean;
}

/** What stands where there is nothing to show: why, and what can be done. */
export function Empty({ icon, title, lead, children, testid, alone = false }: EmptyProps) {
  const Title = alone ? "h1" : "h2";
  return (
    <div class="empty" data-testid={testid}>
      <span class="empty-icon"><Icon name={icon} /></span>
      <Title>{title}</Title>
      {lead && <p>{lead}</p>}
      {children && <div class="empty-actions">{children}</div>}
    </div>
  );
}
