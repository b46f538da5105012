import { createContext, type ComponentChildren } from "preact";
import { useContext } from "preact/hooks";
import { t } from "../text/en";

export type Part = { text: string } | { link: string };

/** Only http(s) with a host; a bracket or a full stop at the end belongs to the sentence, not to the address. */
const address = /\bhttps?:\/\/[^\s<>"'`]+/gi;
const trailing = /[.,;:!?)\]}»”]+$/;

/** Splits text into plain parts and addresses. Nothing is ever read as markup. */
export function linkParts(text: string): Part[] {
  const parts: Part[] = [];
  let done = 0;
  for (const match of text.matchAll(address)) {
    const link = match[0].replace(trailing, "");
    // Looks like an address and is none: it stays text, with everything around it.
    if (!safeLink(link)) continue;
    if (match.index > done) parts.push({ text: text.slice(done, match.index) });
    parts.push({ link });
    done = match.index + link.length;
  }
  if (done < text.length) parts.push({ text: text.slice(done) });
  return parts;
}

/** The address if it may be followed: http or https, as the browser itself would read it. */
export function safeLink(value: string): string | null {
  try {
    const url = new URL(value);
    return (url.protocol === "https:" || url.protocol === "http:") && url.hostname ? url.href : null;
  } catch {
    return null;
  }
}

/** A link to somewhere that a visitor named. The title shows where it really leads; what cannot be followed is text. */
export function ForeignLink({ href, children }: { href: string; children: string }) {
  const safe = safeLink(href);
  if (!safe) return <bdi>{children}</bdi>;
  return (
    <a href={safe} target="_blank" rel="noopener noreferrer nofollow" title={`${safe} (${t.common.newWindow})`}>
      <bdi>{children}</bdi>
    </a>
  );
}

/** How parts of a text are marked, as those that were searched for; nothing is, where nobody says so. */
export const Marking = createContext<(text: string) => ComponentChildren>((text) => text);

/** What somebody else wrote, as text: its own direction, its line breaks, and addresses that can be followed. */
export function UserText({ text, class: extra = "" }: { text: string; class?: string }) {
  const mark = useContext(Marking);
  return (
    <p class={`user-text ${extra}`} dir="auto">
      {linkParts(text).map((part) => ("link" in part ? <ForeignLink href={part.link}>{part.link}</ForeignLink> : mark(part.text)))}
    </p>
  );
}
