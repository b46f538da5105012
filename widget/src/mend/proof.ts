import { blocks, compress, INITIAL, type Words } from "./sha256";

/** How long it works before the page may: well under a frame. */
const SLICE_MS = 8;
/** Tries between looks at the clock. */
const ROUND = 256;
const BLOCK_CHARACTERS = 64;
const BLOCK_WORDS = 16;

/**
 * What makes the SHA-256 of the challenge, a colon and a number begin with as many zero bits as asked: that text. The
 * page goes on meanwhile. It ends when it is found, which takes 2^difficulty tries on average.
 */
export async function solve(challenge: string, difficulty: number): Promise<string> {
  const prefix = `${challenge}:`;
  // What is the same in each try is hashed once.
  const whole = prefix.length - (prefix.length % BLOCK_CHARACTERS);
  let start = INITIAL;
  const fixed = blocks(prefix);
  for (let at = 0; at < whole / 4; at += BLOCK_WORDS) start = compress(start, fixed, at);
  for (let n = 0; ; ) {
    for (const end = performance.now() + SLICE_MS; performance.now() < end; ) {
      for (let left = ROUND; left--; n++) {
        const text = prefix + n;
        if (zeros(finish(start, text.slice(whole), text.length)) >= difficulty) return text;
      }
    }
    await new Promise((done) => setTimeout(done));
  }
}

/** The hash of a text of which all but `rest` is in `state`. */
function finish(state: Words, rest: string, length: number): Words {
  const words = blocks(rest);
  words[words.length - 1] = length * 8;
  for (let at = 0; at < words.length; at += BLOCK_WORDS) state = compress(state, words, at);
  return state;
}

function zeros(hash: Words): number {
  let count = 0;
  for (const word of hash) {
    count += Math.clz32(word);
    if (word) break;
  }
  return count;
}
