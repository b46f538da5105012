import { vi } from "vitest";

// What a server would give out comes from the sources.
vi.mock("./chunk", () => {
  const chunks: Record<string, () => Promise<unknown>> = {
    live: () => import("./live/main"),
    talk: () => import("./talk/main"),
    mend: () => import("./mend/main"),
    shot: () => import("./shot/main"),
  };
  return { loadChunk: (_: unknown, name: string) => chunks[name]!() };
});
