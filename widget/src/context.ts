import type { Feedback } from "./outbox";

/** What a page's own code tells about its visitor, with `set` and `tag`. */
export interface PageContext {
  /** Who the visitor is to the page, with `identify`. */
  user?: { id: string; email?: string; name?: string };
  attributes?: Record<string, unknown>;
  tags?: string[];
}

export interface Visit extends PageContext {
  /** That of `user`, as the site's back end has signed it. */
  identity?: Feedback["identity"];
}

/** Longest page_url that the server takes. */
const PAGE_URL_LENGTH = 2048;

/**
 * The context of a submission. Global Privacy Control and Do Not Track drop what the browser tells about itself; what
 * the page set on purpose stays.
 */
export function context(page: PageContext): Record<string, unknown> {
  const { globalPrivacyControl } = navigator as Navigator & { globalPrivacyControl?: boolean };
  if (globalPrivacyControl || navigator.doNotTrack === "1") return { ...page };
  return {
    ...page,
    referrer: document.referrer,
    screen: `${screen.width}x${screen.height}`,
    viewport: `${innerWidth}x${innerHeight}`,
    time_zone: Intl.DateTimeFormat().resolvedOptions().timeZone,
    language: navigator.language,
  };
}

/** Read when it is needed, so that client-side navigation needs no hook. */
export const pageURL = (): string => location.href.slice(0, PAGE_URL_LENGTH);
