import type { Kind, Status } from "../session/types";

/** Stroked 16 × 16 outlines, drawn for this dashboard so that all share one weight. */
const outlines = {
  inbox: "M2 9.5h3.2l1 1.8h3.6l1-1.8H14M2 9.5v3h12v-3M2 9.5l2-6h8l2 6",
  quarantine: "M8 1.8l5.2 2v3.9c0 3.2-2.1 5.4-5.2 6.5-3.1-1.1-5.2-3.3-5.2-6.5V3.8zM8 5.2v3.2M8 10.9v.1",
  install: "M5.5 4.5L2 8l3.5 3.5M10.5 4.5L14 8l-3.5 3.5",
  settings: "M2 4.5h6M12 4.5h2M2 11.5h2M8 11.5h6M10 2.8a1.7 1.7 0 1 0 0 3.4 1.7 1.7 0 0 0 0-3.4M6 9.8a1.7 1.7 0 1 0 0 3.4 1.7 1.7 0 0 0 0-3.4",
  projects: "M2.5 2.5h4.2v4.2H2.5zM9.3 2.5h4.2v4.2H9.3zM2.5 9.3h4.2v4.2H2.5zM9.3 9.3h4.2v4.2H9.3z",
  search: "M7 2.5a4.5 4.5 0 1 0 0 9 4.5 4.5 0 0 0 0-9M10.3 10.3l3.2 3.2",
  filter: "M2 4h12M4.5 8h7M7 12h2",
  view: "M4 2.5h8v11l-4-2.8-4 2.8z",
  all: "M2.5 4h11M2.5 8h11M2.5 12h11",
  more: "M3.5 8v.1M8 8v.1M12.5 8v.1",
  check: "M3 8.5l3.2 3.2L13 5",
  close: "M4 4l8 8M12 4l-8 8",
  chevron: "M4.5 6.5L8 10l3.5-3.5",
  up: "M4 9.5L8 5.5l4 4",
  down: "M4 6.5l4 4 4-4",
  back: "M9.5 3.5L5 8l4.5 4.5",
  plus: "M8 3v10M3 8h10",
  clip: "M11.6 6.8l-4.5 4.5a2.1 2.1 0 0 1-3-3l5-5a1.4 1.4 0 0 1 2 2L6.3 10.2a.7.7 0 0 1-1-1l4.2-4.2",
  trash: "M2.8 4.5h10.4M6.2 4.5V2.8h3.6v1.7M4.2 4.5l.6 8.7h6.4l.6-8.7M6.7 7v3.8M9.3 7v3.8",
  copy: "M5.5 5.5v-3h8v8h-3M2.5 5.5h8v8h-8z",
  external: "M9.5 2.5h4v4M13.5 2.5L7.5 8.5M11.5 9.5v4h-9v-9h4",
  user: "M8 2.5a2.7 2.7 0 1 0 0 5.4 2.7 2.7 0 0 0 0-5.4M2.8 13.5c.5-2.5 2.6-3.8 5.2-3.8s4.7 1.3 5.2 3.8",
  team: "M6 3a2.3 2.3 0 1 0 0 4.6A2.3 2.3 0 0 0 6 3M1.8 13c.4-2.2 2.1-3.3 4.2-3.3s3.8 1.1 4.2 3.3M10.6 3.3a2.1 2.1 0 0 1 0 4.1M12 10c1.2.5 2 1.5 2.3 3",
  key: "M10.2 2.3a3.5 3.5 0 1 0 0 7 3.5 3.5 0 0 0 0-7M7.6 8.3L2.5 13.5M4.4 11.6l1.7 1.7M11.2 4.8v.1",
  audit: "M3.5 2.5h9v11h-9zM5.8 5.5h4.4M5.8 8h4.4M5.8 10.5h2.4",
  device: "M2 3.5h12v7.5H2zM5.5 13.5h5M8 11v2.5",
  phone: "M5 2h6v12H5zM7.3 12h1.4",
  mail: "M2.5 4h11v8.5h-11zM2.8 4.5L8 8.6l5.2-4.1",
  link: "M6.8 9.2a2.4 2.4 0 0 0 3.4 0l2.4-2.4a2.4 2.4 0 0 0-3.4-3.4l-.9.9M9.2 6.8a2.4 2.4 0 0 0-3.4 0L3.4 9.2a2.4 2.4 0 0 0 3.4 3.4l.9-.9",
  arrow: "M3 8h10M9 4l4 4-4 4",
  lock: "M4 7.2h8v6.3H4zM5.6 7.2V5a2.4 2.4 0 0 1 4.8 0v2.2M8 9.8v1.4",
  reply: "M6.5 3.5L2.5 7.5l4 4M2.5 7.5h6.2c2.7 0 4.6 1.7 4.8 5",
  tag: "M2.5 2.5h5.2l5.8 5.8-5.2 5.2-5.8-5.8zM5.4 5.4v.1",
  read: "M2.5 6.5L8 2.8l5.5 3.7v6.7h-11zM2.5 6.8L8 10l5.5-3.2",
  unread: "M9.5 3.8h-7v8.4h11V7M2.7 4.2L8 8.4l1.8-1.4M13 2.2a1.3 1.3 0 1 0 0 2.6 1.3 1.3 0 0 0 0-2.6",
  insights: "M2.5 13.5h11M4 11V8M8 11V3.5M12 11V6",
  jobs: "M5 2.5v8M2.5 8L5 10.5 7.5 8M11 13.5v-8M8.5 8L11 5.5 13.5 8",
  canned: "M2.5 3h11v7H7.5L4.5 12.8V10h-2zM5.5 6.5h5",
  pencil: "M3 13l.6-3L10.8 2.8l2.4 2.4L6 12.4zM9.3 4.3l2.4 2.4",
  alert: "M8 2.2L14.3 13.2H1.7zM8 6.3v3.2M8 11.4v.1",
  bug: "M8 5a3 3 0 0 0-3 3v2.2a3 3 0 0 0 6 0V8a3 3 0 0 0-3-3M6 5.3C6 4 6.8 3.2 8 3.2s2 .8 2 2.1M2.5 8.8H5M11 8.8h2.5M3 5.2l2.2 1.6M13 5.2l-2.2 1.6M3 12.8l2.2-1.5M13 12.8l-2.2-1.5",
  idea: "M6.2 11.2c0-1.5-2-2.2-2-4.7a3.8 3.8 0 0 1 7.6 0c0 2.5-2 3.2-2 4.7zM6.5 13.5h3",
  question: "M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2M6.3 6.5c0-1 .7-1.7 1.7-1.7s1.7.7 1.7 1.6c0 1.2-1.7 1.3-1.7 2.5M8 11.1v.1",
  praise: "M8 13.3C4.5 11 2.3 9 2.3 6.3c0-1.7 1.3-3 2.9-3 1.2 0 2.2.6 2.8 1.7.6-1.1 1.6-1.7 2.8-1.7 1.6 0 2.9 1.3 2.9 3 0 2.7-2.2 4.7-5.7 7z",
  other: "M2.5 3.5h11v7.5H8L5 13.5V11H2.5z",
} as const;

export type IconName = keyof typeof outlines;

/** Always beside or inside something that has a name; the drawing itself is silent. */
export function Icon({ name, class: extra = "" }: { name: IconName; class?: string }) {
  return (
    <svg class={`icon ${extra}`} viewBox="0 0 16 16" aria-hidden="true" focusable="false">
      <path d={outlines[name]} />
    </svg>
  );
}

/** The sign of a kind. Without one it is the speech bubble, which promises nothing. */
export function KindIcon({ kind }: { kind: Kind | null }) {
  return <Icon name={kind ?? "other"} class="kind-icon" />;
}

/** The shape differs with the status, not only its colour. */
export function StatusIcon({ status }: { status: Status }) {
  return (
    <svg class={`icon status-icon status-${status}`} viewBox="0 0 16 16" aria-hidden="true" focusable="false">
      {/* From a dashed ring to a full disc, in the order in which work goes on. */}
      {status === "new" && <circle cx="8" cy="8" r="5.5" class="dashed" />}
      {status === "open" && <circle cx="8" cy="8" r="5.5" />}
      {status === "in_progress" && (
        <>
          <circle cx="8" cy="8" r="5.5" />
          <path d="M8 5a3 3 0 0 1 0 6z" class="fill" />
        </>
      )}
      {/* The hook is cut out of the disc and takes the colour of the ground, so it is seen in every scheme. */}
      {status === "resolved" && (
        <>
          <circle cx="8" cy="8" r="6.25" class="fill" />
          <path d="M5.3 8.2l1.9 1.9 3.5-3.9" class="knock" />
        </>
      )}
      {status === "closed" && (
        <>
          <circle cx="8" cy="8" r="5.5" />
          <path d="M6 6l4 4M10 6l-4 4" />
        </>
      )}
    </svg>
  );
}

/** The product's mark: an ear. */
export function Brand() {
  return (
    <svg class="brand-mark" viewBox="0 0 32 32" aria-hidden="true" focusable="false">
      <rect width="32" height="32" rx="8" />
      <path d="M9 16a7 7 0 0 1 14 0c0 3.6-2.6 4.6-3.6 6.4-.8 1.5-1.7 2.6-3.4 2.6a3.4 3.4 0 0 1-3.4-3.4M12.6 16a3.4 3.4 0 0 1 6.8 0c0 2-2 2.2-2 4" />
    </svg>
  );
}
