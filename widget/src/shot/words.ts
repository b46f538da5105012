import ar from "./locales/ar.json";
import de from "./locales/de.json";
import en from "./locales/en.json";

export type Words = typeof en;

const languages: Record<string, Words> = { en, de, ar };

export const wordsIn = (lang: string): Words => languages[lang] || en;
