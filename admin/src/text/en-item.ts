import { isolate } from "./isolate";

/** What an item brings along. */
export const identity = "Signed in as";

/** What the widget tells of the browser and of the message, by the names it has in the context. What a page adds has the page's own names. */
export const told: Readonly<Record<string, string>> = {
  referrer: "Came from",
  screen: "Screen",
  viewport: "Window",
  time_zone: "Time zone",
  language: "Language",
  "user.id": "Visitor’s id",
  "user.name": "Visitor’s name",
  "user.email": "Visitor’s e-mail",
  tags: "Tags of the page",
  lost_files: "Files that did not arrive",
};

export const files = {
  title: "Files",
  enlarge: (name: string) => `Show ${isolate(name)} larger or smaller`,
  size: (bytes: number) =>
    bytes < 1_000_000
      ? new Intl.NumberFormat("en", { style: "unit", unit: "kilobyte", maximumFractionDigits: 0 }).format(Math.max(1, bytes / 1000))
      : new Intl.NumberFormat("en", { style: "unit", unit: "megabyte", maximumFractionDigits: 1 }).format(bytes / 1_000_000),
  failed: "The file could not be loaded.",
} as const;
