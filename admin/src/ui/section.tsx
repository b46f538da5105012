import type { ComponentChildren } from "preact";
import { useId } from "preact/hooks";

interface SectionProps {
  title: string;
  lead?: ComponentChildren;
  testid?: string;
  children: ComponentChildren;
}

/** A part of a page about one thing: what it is on one side, what can be done on the other, where there is room. */
export function Section({ title, lead, testid, children }: SectionProps) {
  const id = useId();
  return (
    <section class="part" aria-labelledby={id} data-testid={testid}>
      <div class="part-head">
        <h2 id={id}>{title}</h2>
        {lead && <p class="hint">{lead}</p>}
      </div>
      <div class="part-body">{children}</div>
    </section>
  );
}
