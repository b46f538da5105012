import { describe, expect, it } from "vitest";
import { hits, matches } from "./highlight";

describe("hits", () => {
  const found = (text: string, q: string): string[] => hits(text, q).map(([start, end]) => text.slice(start, end));
  it.each([
    ["The cart is broken", "cart", ["cart"]],
    ["The cart is broken", "BROKEN car", ["cart", "broken"]],
    ["The cart is broken", "bro cart", ["cart"]],
    ["Mon résumé est naïf", "resume", ["résumé"]],
    ["Mon résumé", "RÉSUMÉ", ["résumé"]],
    ["Die Übersicht", "ubersicht", ["Übersicht"]],
    ["合計が間違っています", "間違", ["間違"]],
    ["合計が間違っています", "違間", []],
    ["ราคาผิด", "ผิด", ["ผิด"]],
    ["a <b>bold</b> one", "b", ["b", "bold", "b"]],
    ["cartwheel art", "art", ["art"]],
    ["nothing", "", []],
    ["nothing", "*", []],
    ["👍 cart 👍", "cart", ["cart"]],
  ])("in %j of %j", (text, q, want) => expect(found(text, q)).toEqual(want));
});

describe("matches", () => {
  it.each([
    ["The cart is broken", "broken cart", true],
    ["The cart is broken", "cart wheel", false],
    ["The cart is broken", "*", false],
  ])("%j has %j: %j", (text, q, want) => expect(matches(text, q)).toBe(want));
});
