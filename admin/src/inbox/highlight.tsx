import type { ComponentChildren } from "preact";

/** A word of a text, folded as the search index folds it, and where it stands in the text. */
interface Word {
  text: string;
  start: number;
  end: number;
}

const letter = /[\p{L}\p{N}\p{M}]/u;
/** Scripts that write without spaces: each character is a word, and a run of them a phrase. As models/store/search_query.go has it. */
const unspaced = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]/u;

/** Case and diacritics do not count. */
const fold = (text: string): string => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();

/** The words of a text. Walked by code points: half of a pair is no letter. */
export function words(text: string): Word[] {
  const all: Word[] = [];
  let open: Word | null = null;
  let at = 0;
  for (const char of text) {
    const end = at + char.length;
    if (unspaced.test(char)) {
      all.push({ text: fold(char) || char, start: at, end });
      open = null;
    } else if (!letter.test(char)) open = null;
    else if (open) {
      open.text += fold(char);
      open.end = end;
    } else all.push((open = { text: fold(char), start: at, end }));
    at = end;
  }
  return all;
}

/** What is searched for: phrases of words, of which the very last word may be a beginning. */
function phrases(q: string): { words: string[]; last: boolean }[] {
  const fields = q.split(/[^\p{L}\p{N}\p{M}]+/u).filter(Boolean).slice(0, 16);
  return fields.map((field, at) => ({ words: words(field).map(({ text }) => text), last: at === fields.length - 1 }));
}

/** Whether a phrase stands at a place among the words of a text. */
function stands(all: readonly Word[], at: number, { words: phrase, last }: { words: string[]; last: boolean }): boolean {
  return phrase.every((word, i) => {
    const found = all[at + i]?.text;
    return found !== undefined && (last && i === phrase.length - 1 ? found.startsWith(word) : found === word);
  });
}

/** Where a search's words stand in a text, in order and apart from each other. */
export function hits(text: string, q: string): [start: number, end: number][] {
  if (!q) return [];
  const all = words(text);
  const ranges: [number, number][] = [];
  const wanted = phrases(q);
  all.forEach((word, at) => {
    for (const phrase of wanted) {
      if (phrase.words.length === 0 || !stands(all, at, phrase)) continue;
      const end = all[at + phrase.words.length - 1]?.end ?? word.end;
      const before = ranges.at(-1);
      if (before && word.start <= before[1]) before[1] = Math.max(before[1], end);
      else ranges.push([word.start, end]);
    }
  });
  return ranges;
}

/** Whether a text has all that is searched for. */
export function matches(text: string, q: string): boolean {
  const all = words(text);
  const wanted = phrases(q);
  return wanted.length > 0 && wanted.every((phrase) => all.some((_, at) => stands(all, at, phrase)));
}

/** A text with what was searched for marked in it. It stays text. */
export function marked(text: string, q: string): ComponentChildren {
  const ranges = hits(text, q);
  if (ranges.length === 0) return text;
  const parts: ComponentChildren[] = [];
  let done = 0;
  for (const [start, end] of ranges) {
    parts.push(text.slice(done, start), <mark key={start}>{text.slice(start, end)}</mark>);
    done = end;
  }
  parts.push(text.slice(done));
  return parts;
}
