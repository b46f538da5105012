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
export async function loadStrings({ strings, api }: Config, lang: string): Promise<Strings> {
  return strings?.lang === lang ? strings : fetchJSON(`${api}/w/v/${VERSION}/${lang}.json`);
}

export async function fetchJSON<T>(url: string): Promise<T> {
  const answer = await fetch(url, { credentials: "omit" });
  if (!answer.ok) throw answer.status;
  return answer.json();
}
