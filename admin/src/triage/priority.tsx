import type { Priority } from "../session/types";

const bars: Record<Priority, number> = { low: 1, normal: 2, high: 3, urgent: 3 };

/** Bars that grow, as for a signal; the urgent one is a filled square with a mark, so that it is not told by colour alone. */
export function PriorityIcon({ priority }: { priority: Priority }) {
  return (
    <svg class={`icon priority-icon priority-${priority}`} viewBox="0 0 16 16" aria-hidden="true" focusable="false">
      {priority === "urgent" ? (
        <>
          <rect x="2" y="2" width="12" height="12" rx="3" class="fill" />
          <path d="M8 5v3.6M8 10.9v.1" class="knock" />
        </>
      ) : (
        [0, 1, 2].map((n) => <rect key={n} x={2.5 + n * 4} y={10 - n * 3} width="2.6" height={3.5 + n * 3} rx="0.8" class={n < bars[priority] ? "fill" : "rest"} />)
      )}
    </svg>
  );
}
