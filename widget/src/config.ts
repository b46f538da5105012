import type { components } from "../../realtime/protocol/ts";
import type en from "./locales/en.json";

export type Strings = typeof en;
export type Kind = NonNullable<components["schemas"]["FeedbackSubmitted"]["kind"]>;

/** A project's public configuration, as the server bakes it into the script or serves it for the pinned one. */
export interface WidgetConfig {
  key: string;
  api: string;
  version: string;
  name: string;
  accent: string;
  theme: "auto" | "light" | "dark";
  position: "right" | "left";
  kinds: Kind[];
  rating: boolean;
  ask_email: boolean;
  locale: string;
  texts: { launcher?: string; title?: string; placeholder?: string; thanks?: string };
  show_drafts: boolean;
  trigger: "button" | "none";
  strings: Strings;
}

/** What a page may add to its project's settings, by `data-*` or `init`. */
export interface PageOptions {
  key?: string;
  api?: string;
  lang?: string;
  theme?: string;
  position?: string;
  trigger?: string;
  selector?: string;
  accent?: string;
  zIndex?: string;
  kinds?: string;
  storage?: string;
}

export type Config = WidgetConfig & { selector?: string; zIndex?: string; storage?: string };

const DEFAULTS = {
  accent: "#4f46e5",
  theme: "auto",
  position: "right",
  locale: "auto",
  trigger: "button",
  kinds: [] as Kind[],
  texts: {},
} as const;

/** The page's options win over the project's settings. */
export function mergeConfig(baked: Partial<WidgetConfig>, page: PageOptions): Config {
  const { lang, kinds, ...rest } = page;
  const own = Object.fromEntries(Object.entries(rest).filter(([, value]) => value));
  return {
    ...DEFAULTS,
    ...baked,
    ...own,
    ...(lang && { locale: lang }),
    ...(kinds && { kinds: kinds.split(/[\s,]+/) }),
  } as Config;
}

/** The script's element, found by its address where `document.currentScript` is gone (a module, a tag manager). */
export function scriptElement(): HTMLScriptElement | null {
  const current = document.currentScript as HTMLScriptElement | null;
  return current || document.querySelector('script[src*="/w/pk_"],script[data-key][src*="/w/v/"]');
}
