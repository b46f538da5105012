import ar from "./locales/ar.json";
import de from "./locales/de.json";
import en from "./locales/en.json";

export type Words = typeof en;

const languages: Record<string, Words> = { en, de, ar };

/** What the chunk says, in the language that the panel speaks now. All of them are here: a change needs no request. */
export const wordsIn = (lang: string): Words => languages[lang] || en;

const dayOf = (time: Date): string => time.toDateString();

/** A moment as a short text: today's without the day. */
export function moment(at: string, lang: string): string {
  const time = new Date(at);
  const today = dayOf(time) === dayOf(new Date());
  return time.toLocaleString(lang, today ? { timeStyle: "short" } : { dateStyle: "medium", timeStyle: "short" });
}
