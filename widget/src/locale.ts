import type { Config, Strings } from "./config";
import { VERSION } from "./version";

/**
 * The launcher's word in every language there is: it shows before anything may be requested, so it cannot wait for a
 * locale file.
 */
export const LAUNCHER: Record<string, string> = { en: "Feedback", de: "Feedback", ar: "ملاحظات" };

/** Languages that are written from right to left; only those we ship matter. */
export const direction = (lang: string): "rtl" | "ltr" => (lang === "ar" ? "rtl" : "ltr");

/** The shipped language for a setting: `auto` follows the page's language, then the browser's, then English. */
export function pickLanguage(setting: string): string {
  const wanted = setting === "auto" ? [document.documentElement.lang, ...navigator.languages] : [setting];
  for (const tag of wanted) {
    const lang = tag.toLowerCase().split("-")[0]!;
    if (lang in LAUNCHER) return lang;
  }
  return "en";
}

/** The strings of a language: the baked ones where they match, else one immutable file. */
export async function loadStrings(config: Config, lang: string): Promise<Strings> {
  if (config.strings?.lang === lang) return config.strings;
  const answer = await fetch(`${config.api}/w/v/${VERSION}/${lang}.json`, { credentials: "omit" });
  if (!answer.ok) throw new Error(`locale ${lang}: ${answer.status}`);
  return answer.json();
}

/** `{name}` replaced by its value. */
export function format(text: string, values: Record<string, string | number>): string {
  return text.replace(/\{(\w+)\}/g, (_, name) => String(values[name]));
}
