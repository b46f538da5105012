/** SHA-256 in 32-bit words (FIPS 180-4), a block at a time: what a search hashes again and again it need not begin anew. */

/** The first 32 bits of the fractional parts of the roots of the first primes (FIPS 180-4, 4.2.2 and 5.3.3). */
const fraction = (x: number): number => ((x % 1) * 2 ** 32) | 0;

export type Words = Int32Array<ArrayBuffer>;

const K = new Int32Array(64);
export const INITIAL = new Int32Array(8);
for (let found = 0, n = 2; found < 64; n++) {
  let prime = true;
  for (let d = 2; d * d <= n; d++) prime &&= n % d > 0;
  if (!prime) continue;
  if (found < 8) INITIAL[found] = fraction(Math.sqrt(n));
  K[found++] = fraction(Math.cbrt(n));
}

const w = new Int32Array(64);
const turn = (x: number, by: number): number => (x >>> by) | (x << (32 - by));

/** The state after one more block: 16 big-endian words of `block`, from `at`. */
export function compress(state: Words, block: Words, at = 0): Words {
  w.set(block.subarray(at, at + 16));
  for (let i = 16; i < 64; i++) {
    const a = w[i - 15]!;
    const b = w[i - 2]!;
    w[i] = w[i - 16]! + (turn(a, 7) ^ turn(a, 18) ^ (a >>> 3)) + w[i - 7]! + (turn(b, 17) ^ turn(b, 19) ^ (b >>> 10));
  }
  let [a, b, c, d, e, f, g, h] = state as unknown as [number, number, number, number, number, number, number, number];
  for (let i = 0; i < 64; i++) {
    const one = (h + (turn(e, 6) ^ turn(e, 11) ^ turn(e, 25)) + ((e & f) ^ (~e & g)) + K[i]! + w[i]!) | 0;
    const two = ((turn(a, 2) ^ turn(a, 13) ^ turn(a, 22)) + ((a & b) ^ (a & c) ^ (b & c))) | 0;
    h = g;
    g = f;
    f = e;
    e = (d + one) | 0;
    d = c;
    c = b;
    b = a;
    a = (one + two) | 0;
  }
  return Int32Array.of(a + state[0]!, b + state[1]!, c + state[2]!, d + state[3]!, e + state[4]!, f + state[5]!, g + state[6]!, h + state[7]!);
}

/** The padded blocks of a text of ASCII, as words. */
export function blocks(text: string): Words {
  const words = new Int32Array(((text.length + 8) >> 6) * 16 + 16);
  for (let i = 0; i <= text.length; i++) words[i >> 2]! |= (i < text.length ? text.charCodeAt(i) : 0x80) << (24 - (i % 4) * 8);
  words[words.length - 1] = text.length * 8;
  return words;
}
