import type { Config } from "./config";
import { VERSION } from "./version";

/** What the widget loads when it is first needed, by name. */
interface Chunks {
  /** What an open panel has beyond the form. */
  live: typeof import("./live/main");
  /** What conversations need. */
  talk: typeof import("./talk/main");
  /** What can be done about a refusal. */
  mend: typeof import("./mend/main");
  /** What a picture of the page needs. */
  shot: typeof import("./shot/main");
}

/** A relative `api` is the page's, not this script's; and a browser may remember a failure for as long as the address is the very same. */
export const loadChunk = <N extends keyof Chunks>(config: Config, name: N): Promise<Chunks[N]> =>
  import(/* @vite-ignore */ `${new URL(`${config.api}/w/v/${VERSION}/${name}.js#${Date.now()}`, document.baseURI)}`);
