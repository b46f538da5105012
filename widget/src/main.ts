// First, for what comes first in the bundle.
import "./styles";
import { createApi, type Api } from "./api";
import type { WidgetConfig } from "./config";

/** The argument of the function around this bundle: a project's configuration, or null in the pinned script. */
declare const earshotConfig: Partial<WidgetConfig> | null;

/** What the page puts in place to queue calls made before the script is there. */
interface Stub {
  q?: Iterable<unknown>[];
}

const page = window as unknown as { Earshot?: Partial<Api> & Stub };

function boot(): void {
  // Found by its address where it is not the current script: a module, a tag manager.
  const script =
    (document.currentScript as HTMLScriptElement | null) ||
    document.querySelector<HTMLScriptElement>('script[src*="/w/pk_"],script[data-key]');
  // The pinned script belongs to the server it came from; the baked one has the address in its configuration.
  const baked = earshotConfig || { api: script?.src.replace(/\/w\/v\/.*/, "") };
  const calls = page.Earshot?.q || [];
  const earshot = createApi(baked, { ...script?.dataset });
  page.Earshot = earshot;
  earshot("init");
  for (const call of calls) earshot(...(call as [string]));
}

// A second copy of the script, by whatever way it came, changes nothing.
if (!page.Earshot?.version) boot();
