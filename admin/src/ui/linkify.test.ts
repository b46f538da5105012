import { expect, it } from "vitest";
import { linkParts, safeLink } from "./linkify";

it.each([
  ["plain", "nothing here", [{ text: "nothing here" }]],
  ["in a sentence", "see https://a.example/x. Thanks", [{ text: "see " }, { link: "https://a.example/x" }, { text: ". Thanks" }]],
  ["in brackets", "(http://a.example)", [{ text: "(" }, { link: "http://a.example" }, { text: ")" }]],
  ["a script", "javascript:alert(1)", [{ text: "javascript:alert(1)" }]],
  ["markup", "<a href='https://a.example'>x</a>", [{ text: "<a href='" }, { link: "https://a.example" }, { text: "'>x</a>" }]],
  ["no host", "https://", [{ text: "https://" }]],
])("linkParts: %s", (_, text, want) => expect(linkParts(text)).toEqual(want));

it.each([
  ["https://a.example/x", "https://a.example/x"],
  ["javascript:alert(1)", null],
  ["java\nscript:alert(1)", null],
  ["data:text/html,x", null],
  ["/relative", null],
])("safeLink: %j", (value, want) => expect(safeLink(value)).toBe(want));
