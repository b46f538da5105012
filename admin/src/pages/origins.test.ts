import { expect, it } from "vitest";
import { originErrors, readOrigins } from "./origins";

it.each([
  ["lines", "https://a.example\nhttps://b.example", ["https://a.example", "https://b.example"]],
  ["a pasted list", " https://a.example, https://b.example ", ["https://a.example", "https://b.example"]],
  ["a repeat", "https://a.example https://a.example", ["https://a.example"]],
  ["nothing", " \n", []],
])("readOrigins: %s", (_, text, want) => expect(readOrigins(text)).toEqual(want));

const bad = (at: number, message = "must be an origin"): { path: string; message: string } => ({ path: `allowed_origins[${at}]`, message });

it.each([
  ["none", [{ path: "name", message: "is required" }], undefined],
  ["one entry", [bad(1)], "b: must be an origin"],
  ["one complaint of two entries", [bad(0), bad(2)], "a, c: must be an origin"],
  ["two complaints", [bad(0), bad(1, "is too long")], "a: must be an origin b: is too long"],
  ["the list as a whole", [{ path: "allowed_origins", message: "has too many" }], "has too many"],
])("originErrors: %s", (_, fields, want) => expect(originErrors(fields, ["a", "b", "c"])).toBe(want));
