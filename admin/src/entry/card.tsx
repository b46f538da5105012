import type { ComponentChildren } from "preact";
import { useEffect } from "preact/hooks";
import { t } from "../text/en";
import { Brand } from "../ui/icons";

interface CardProps {
  title: string;
  lead?: ComponentChildren;
  testid: string;
  children?: ComponentChildren;
}

/** What stands alone on a page of who need not be signed in, and names the page. A form goes inside of it, or is it. */
export function EntryCard({ title, lead, testid, children }: CardProps) {
  useTitle(title);
  return (
    <main class="alone">
      <div class="card" data-testid={testid}>
        <Brand />
        <h1 tabIndex={-1}>{title}</h1>
        {lead && <p class="lead">{lead}</p>}
        {children}
      </div>
    </main>
  );
}

export function useTitle(title: string): void {
  useEffect(() => void (document.title = `${title} · ${t.product}`), [title]);
}
