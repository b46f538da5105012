import { mergeConfig, type PageOptions, type WidgetConfig } from "./config";
import type { PageContext } from "./context";
import { createEmitter } from "./emitter";
import { fetchJSON } from "./locale";
import { VERSION } from "./version";
import { createWidget, type Widget } from "./widget";

type Command = (...args: unknown[]) => unknown;

export interface Api {
  (command: string, ...args: unknown[]): unknown;
  version: string;
}

/**
 * The browser global: `Earshot('open')` and `Earshot.open()` are the same. `baked` lacks its strings in the pinned
 * script, which asks for its project's configuration when the visitor first acts.
 */
export function createApi(baked: Partial<WidgetConfig>, page: PageOptions): Api {
  const emitter = createEmitter();
  const about: PageContext = {};
  let widget: Widget | undefined;

  function init(options?: PageOptions): void {
    Object.assign(page, options);
    const config = mergeConfig(baked, page);
    if (!config.key) return;
    widget?.destroy();
    const complete = async () => {
      if (config.strings) return;
      Object.assign(config, mergeConfig(await fetchJSON(`${config.api}/w/${config.key}/config.json`), page));
    };
    widget = createWidget(config, complete, emitter, about);
    for (const name in { ...own, ...widget }) named[name] = (...args) => api(name, ...args);
    emitter.emit("ready", { version: VERSION });
  }

  const own = {
    init,
    on: emitter.on,
    off: emitter.off,
    set(attributes: Record<string, unknown>) {
      about.attributes = { ...about.attributes, ...attributes };
    },
    tag(...tags: string[]) {
      about.tags = [...(about.tags || []), ...tags];
    },
    reset() {
      delete about.attributes;
      delete about.tags;
      widget?.reset();
    },
    destroy() {
      widget?.destroy();
      widget = undefined;
    },
  };

  function api(command: string, ...args: unknown[]): unknown {
    const run = (own as Record<string, unknown>)[command] || widget?.[command as keyof Widget];
    if (run) return (run as Command)(...args);
    return undefined;
  }
  const named = Object.assign(api, { version: VERSION }) as Api & Record<string, Command>;
  return named;
}
