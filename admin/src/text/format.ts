import { isolate } from "./isolate";

/** The language of dates and numbers: the dashboard's own texts are English, so these are too, in the reader's region. */
const locale = navigator.languages.find((language) => language.startsWith("en")) ?? "en";

const count = new Intl.NumberFormat(locale);
const moment = new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeStyle: "short" });
const day = new Intl.DateTimeFormat(locale, { day: "numeric", month: "short" });
const dayOfYear = new Intl.DateTimeFormat(locale, { day: "numeric", month: "short", year: "numeric" });
const seconds = new Intl.NumberFormat(locale, { style: "unit", unit: "second", unitDisplay: "narrow" });
const minutesLong = new Intl.NumberFormat(locale, { style: "unit", unit: "minute", unitDisplay: "narrow" });
const hoursLong = new Intl.NumberFormat(locale, { style: "unit", unit: "hour", unitDisplay: "narrow" });
const plural = new Intl.PluralRules("en");

export function formatCount(n: number): string {
  return count.format(n);
}

/** `1 visitor`, `2 visitors`. */
export function counted(n: number, one: string, other: string): string {
  return `${count.format(n)} ${plural.select(n) === "one" ? one : other}`;
}

const list = new Intl.ListFormat(locale, { type: "conjunction" });

/** `Ann`, `Ann and Bob`, `Ann, Bob, and Cem`. */
export const formatNames = (names: readonly string[]): string => list.format(names.map(isolate));

/** Of the first and the last word of a name; whatever one character is in its script. */
export function initials(name: string): string {
  const words = name.split(/\s+/).filter(Boolean);
  const first = (word: string | undefined): string => [...(word ?? "")][0] ?? "";
  return (first(words[0]) + (words.length > 1 ? first(words.at(-1)) : "")).toLocaleUpperCase(locale);
}

/** A day with its year. */
export const formatDay = (at: string): string => dayOfYear.format(new Date(at));

/** Date and time in full; what is not a date is shown as it came. */
export function formatMoment(at: string): string {
  const date = new Date(at);
  return Number.isNaN(date.valueOf()) ? at : moment.format(date);
}

/** As short as a column of a list allows: `now`, `5m`, `3h`, then the date. */
export function formatAge(at: string, now: number): string {
  const date = new Date(at);
  if (Number.isNaN(date.valueOf())) return "";
  const minutes = Math.floor((now - date.valueOf()) / 60_000);
  if (minutes < 1) return "now";
  if (minutes < 60) return minutesLong.format(minutes);
  if (minutes < 24 * 60) return hoursLong.format(Math.floor(minutes / 60));
  // The year only where it is another one: in a list it is nearly always this.
  return (date.getFullYear() === new Date(now).getFullYear() ? day : dayOfYear).format(date);
}

/** Host and path of a page, without the scheme that every one of them has. Not a URL any more: for reading only. */
export function shortPage(url: string): string {
  try {
    const { host, pathname, search } = new URL(url);
    return pathname === "/" && !search ? host : `${host}${pathname}${search}`;
  } catch {
    return url;
  }
}

/** What tells two pages of one site apart, in the width of a list. */
export function pagePath(url: string): string {
  try {
    const { host, pathname } = new URL(url);
    return pathname === "/" ? host : pathname;
  } catch {
    return url;
  }
}

export const formatSeconds = (count: number): string => seconds.format(count);

const spans = ([["day", 86_400_000], ["hour", 3_600_000], ["minute", 60_000], ["second", 1_000]] as const).map(
  ([unit, ms]) => [ms, new Intl.NumberFormat(undefined, { style: "unit", unit, unitDisplay: "narrow", maximumFractionDigits: 1 })] as const,
);

/** How long something took, in its largest unit: 2.5h. */
export function formatDuration(ms: number): string {
  const [unit, format] = spans.find(([length]) => ms >= length) ?? spans[spans.length - 1] ?? [1, new Intl.NumberFormat()];
  return ms < 1_000 ? `<${format.format(1)}` : format.format(ms / unit);
}
