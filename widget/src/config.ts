import type { components } from "../../realtime/protocol/ts";
import type en from "./locales/en.json";

export type Strings = typeof en;
export type Kind = NonNullable<components["schemas"]["FeedbackSubmitted"]["kind"]>;

/** A project's public configuration, as the server bakes it into the script or serves it for the pinned one. */
export interface WidgetConfig {
  key: string;
  /** The server's origin and base path, without a slash at its end. */
  api: string;
  accent: string;
  theme: string;
  position: string;
  kinds: Kind[];
  rating: boolean;
  ask_email: boolean;
  locale: string;
  texts: { launcher?: string; title?: string; placeholder?: string; thanks?: string };
  show_drafts: boolean;
  trigger: string;
  /** The words on screen: replaced in place by those of another language, for all who hold them. */
  strings: Strings;
}

/** What a page may say by `data-*` or `init`, all as strings. */
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
  /** "off": the visitor is not offered to attach files, or a picture of the page. */
  files?: string;
  screenshot?: string;
}

export type Config = WidgetConfig & Pick<PageOptions, "selector" | "zIndex" | "storage" | "files" | "screenshot">;

/** The page's options win over the project's settings, which win over what holds until the settings are known. */
export function mergeConfig(baked: Partial<WidgetConfig>, { lang, kinds, ...page }: PageOptions): Config {
  const merged = { kinds: [], texts: {}, locale: "auto", theme: "auto", accent: "#4f46e5", ...baked, ...page } as unknown as Config;
  if (lang) merged.locale = lang;
  if (kinds) merged.kinds = kinds.split(/[\s,]+/) as Kind[];
  return merged;
}
