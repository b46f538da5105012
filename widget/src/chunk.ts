import type { Config } from "./config";
import { VERSION } from "./version";

/**
 * Loads what conversations need, which few visitors do. A relative `api` is the page's, not this script's; and a browser
 * may remember a failure for as long as the address is the very same.
 */
export const loadTalk = (config: Config): Promise<typeof import("./talk/main")> =>
  import(/* @vite-ignore */ `${new URL(`${config.api}/w/v/${VERSION}/talk.js#${Date.now()}`, document.baseURI)}`);
