import { defineConfig } from "vitest/config";

export default defineConfig({
  // The client that both front ends share has no packages of its own; it is checked and tested here.
  test: { environment: "happy-dom", include: ["src/**/*.test.ts", "src/**/*.test.tsx", "../realtime/client/*.test.ts"] },
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
});
