/** What an item brings along. */
export const identity = "Signed in as";

export const files = {
  title: "Files",
  enlarge: (name: string) => `Show ${name} larger or smaller`,
  size: (bytes: number) =>
    bytes < 1_000_000
      ? new Intl.NumberFormat("en", { style: "unit", unit: "kilobyte", maximumFractionDigits: 0 }).format(Math.max(1, bytes / 1000))
      : new Intl.NumberFormat("en", { style: "unit", unit: "megabyte", maximumFractionDigits: 1 }).format(bytes / 1_000_000),
  failed: "The file could not be loaded.",
} as const;
