import { mergeConfig, type Config, type PageOptions, type WidgetConfig } from "./config";
import type { PageContext } from "./context";
import { createEmitter, type Listener } from "./emitter";
import { VERSION } from "./version";
import { createWidget, type Widget } from "./widget";

export type Command = (...args: never[]) => unknown;

export interface Api {
  (command: string, ...args: unknown[]): unknown;
  version: string;
  [command: string]: unknown;
}

export interface ApiOptions {
  /** Empty for the pinned script, which asks for its project's configuration when the visitor first acts. */
  baked: Partial<WidgetConfig>;
  page: PageOptions;
  nonce?: string;
}

/** The browser global: `Earshot('open')` and `Earshot.open()` are the same. */
export function createApi({ baked, page, nonce }: ApiOptions): Api {
  const emitter = createEmitter();
  const about: PageContext = {};
  const early: [string, unknown[]][] = [];
  let widget: Widget | undefined;

  function init(options: PageOptions = {}): void {
    Object.assign(page, options);
    const config = mergeConfig(baked, page);
    if (!config.key) return;
    widget?.destroy();
    widget = createWidget({ config, complete: () => complete(config), emitter, page: about, nonce });
    emitter.ready(VERSION);
    for (const [command, args] of early.splice(0)) api(command, ...args);
  }

  async function complete(config: Config): Promise<void> {
    if (config.strings) return;
    const answer = await fetch(`${config.api}/w/${config.key}/config.json`, { credentials: "omit" });
    if (!answer.ok) throw new Error(`config: ${answer.status}`);
    baked = await answer.json();
    Object.assign(config, mergeConfig(baked, page));
  }

  const commands: Record<string, Command> = {
    init,
    on: (name: string, listener: Listener) => emitter.on(name, listener),
    off: (name: string, listener?: Listener) => emitter.off(name, listener),
    set: (attributes: Record<string, unknown>) => void (about.attributes = { ...about.attributes, ...attributes }),
    tag: (...tags: string[]) => void (about.tags = [...new Set([...(about.tags || []), ...tags])]),
    destroy() {
      widget?.destroy();
      widget = undefined;
    },
    reset() {
      delete about.attributes;
      delete about.tags;
      widget?.reset();
    },
  };
  /** These need the widget, and wait for `init` where the page has not named its project yet. */
  const WIDGET = ["open", "close", "toggle", "show", "hide", "theme", "locale", "prefill", "send"] as const;
  for (const name of WIDGET) {
    commands[name] = (...args: never[]) => {
      if (widget) return (widget[name] as Command)(...args);
      early.push([name, args]);
      return undefined;
    };
  }

  const api = ((command: string, ...args: never[]) => {
    if (commands[command]) return commands[command](...args);
    console.warn(`Earshot: unknown command "${command}"`);
    return undefined;
  }) as Api;
  Object.assign(api, commands, { version: VERSION });
  return api;
}
