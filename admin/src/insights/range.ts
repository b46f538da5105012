/** Days as the server names them. */
export interface Range {
  from: string;
  /** The day after the last one. */
  to: string;
}

export const ranges = [7, 30, 90, 365] as const;
export type Days = (typeof ranges)[number];

const iso = (date: Date): string => date.toISOString().slice(0, 10);

/** The day that it is there where somebody looks, as if it were UTC: days are counted, and no zone may change them. */
const today = (now: Date): Date => new Date(Date.UTC(now.getFullYear(), now.getMonth(), now.getDate()));

function plus(day: Date, days: number): Date {
  const next = new Date(day);
  next.setUTCDate(next.getUTCDate() + days);
  return next;
}

/** The last days, today among them; `back` periods earlier. */
export function lastDays(days: number, now: Date, back = 0): Range {
  const end = plus(today(now), 1 - days * back);
  return { from: iso(plus(end, -days)), to: iso(end) };
}

/** A year of single days would be thinner than a hair: weeks are drawn then. */
export const barDays = (days: number): number => (days > 120 ? 7 : 1);

/** Adds up so many days at a time; the last ones are whole, the first group may be shorter. */
export function grouped<T>(list: readonly T[], size: number): T[][] {
  const first = list.length % size;
  const groups = first > 0 ? [list.slice(0, first)] : [];
  for (let at = first; at < list.length; at += size) groups.push(list.slice(at, at + size));
  return groups as T[][];
}
