import { mergeConfig, type PageOptions, type WidgetConfig } from "./config";
import type { Visit } from "./context";
import { createEmitter } from "./emitter";
import { VERSION } from "./version";
import { createWidget } from "./widget";

export interface Api {
  (command: string, ...args: unknown[]): unknown;
  version: string;
}

/** The browser global: `Earshot('open')` and `Earshot.open()` are the same, since its commands are its members. */
export function createApi(baked: Partial<WidgetConfig>, page: PageOptions): Api {
  const emitter = createEmitter();
  const about: Visit = {};
  const commands = (command: string, ...args: unknown[]) => members[command]?.(...args);
  const members = commands as unknown as Record<string, (...args: unknown[]) => unknown>;

  return Object.assign(commands, {
    version: VERSION,
    on: emitter.on,
    off: emitter.off,
    init(options?: PageOptions) {
      const config = mergeConfig(baked, Object.assign(page, options));
      if (!config.key) return;
      members.destroy?.();
      Object.assign(members, createWidget(config, page, emitter, about));
      emitter.emit("ready", { version: VERSION });
    },
    identify(id: string, { hash, exp, ...user }: { hash?: string; exp?: number; email?: string; name?: string } = {}) {
      about.user = { id, ...user };
      about.identity = hash ? { id, hash, exp: exp! } : undefined;
    },
    set(attributes: Record<string, unknown>) {
      about.attributes = { ...about.attributes, ...attributes };
    },
    tag(...tags: string[]) {
      about.tags = [...(about.tags || []), ...tags];
    },
  });
}
