import { createApi, type Api } from "./api";
import { scriptElement, type PageOptions, type WidgetConfig } from "./config";

/** The argument of the function around this bundle: a project's configuration, or null in the pinned script. */
declare const earshotConfig: Partial<WidgetConfig> | null;

/** What the page puts in place to queue calls made before the script is there. */
interface Stub {
  q?: ArrayLike<unknown>[];
  version?: string;
}

const page = window as unknown as { Earshot?: Api & Stub };

function boot(): void {
  const script = scriptElement();
  const options: PageOptions = { ...script?.dataset };
  const queued = page.Earshot?.q || [];
  // The pinned script belongs to the server it came from; the baked one has its address in the configuration.
  const api = script?.src && new URL(script.src).origin;
  const earshot = createApi({ baked: earshotConfig || { api: api || "" }, page: options, nonce: script?.nonce });
  page.Earshot = earshot as Api & Stub;

  const start = () => {
    earshot("init");
    for (const call of queued) earshot(...(Array.from(call) as [string, ...unknown[]]));
  };
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
  else start();
}

// A second copy of the script, by whatever way it came, changes nothing.
if (!page.Earshot?.version) boot();
