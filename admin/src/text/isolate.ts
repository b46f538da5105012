/** What changes the direction of the text around it or ends its line, where an isolate would end as well (UAX #9). */
const controls = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;
const ends = /[\n\r\u0085\u2028\u2029]+/g;

/**
 * Somebody else's text within a sentence of ours. In another direction it would turn our words around, and with
 * controls of its own even without letters of that direction: it is isolated, and loses those. Where it stands in an
 * element by itself, `<bdi>` does the same.
 */
export const isolate = (text: string): string => `\u2068${text.replace(controls, "").replace(ends, " ")}\u2069`;
