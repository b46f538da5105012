import { useDashboard } from "../context";
import { t } from "../text/en";
import { formatCount, pagePath, shortPage } from "../text/format";
import { Menu } from "../ui/menu";

/** As many as fit without hiding the list; the count tells of the rest. */
const shownDrafts = 3;

/**
 * Who is on the site now and what they are writing. It sits below the list: growing there takes room from the end of
 * the rows and moves none of them.
 */
export function LiveDock() {
  const live = useDashboard().live();
  // Unknown is not zero: without a connection the dock is not shown at all.
  const visitors = live.visitors.value;
  const drafts = live.drafts.value;
  const pages = live.pages.value;
  if (visitors === null) return null;
  return (
    <section class="dock" aria-label={t.inbox.live} data-testid="dock">
      {drafts.length > 0 && (
        <ul class="drafts">
          {drafts.slice(0, shownDrafts).map((draft) => (
            <li key={draft.sessionId} class="draft" data-testid="draft">
              <p class="draft-text" dir="auto">{tail(draft.text)}</p>
              <p class="draft-meta"><span class="typing" aria-hidden="true"><i /><i /><i /></span> {t.inbox.draft} · <bdi>{pagePath(draft.pageUrl)}</bdi></p>
            </li>
          ))}
        </ul>
      )}
      <p class="dock-line">
        <span class={visitors > 0 ? "pulse on" : "pulse"} aria-hidden="true" />
        <span data-testid="visitors" data-count={visitors}>{t.inbox.online(visitors)}</span>
        {drafts.length > 0 && <span class="faint">· {t.inbox.writing(drafts.length)}</span>}
        {pages.length > 0 && (
          <Menu class="link end" testid="pages" align="end" side="above" role="dialog" face={t.inbox.where}>
            <ul class="where">
              {pages.map(({ page_url, visitors: n }) => <li key={page_url}><bdi class="cut">{shortPage(page_url)}</bdi><span class="faint">{formatCount(n)}</span></li>)}
            </ul>
          </Menu>
        )}
      </p>
    </section>
  );
}

/** What is being written is at the end of the text, so the end is what is shown. */
function tail(text: string): string {
  const points = [...text];
  return points.length > 160 ? `…${points.slice(-160).join("")}` : text;
}
