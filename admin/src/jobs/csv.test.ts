import { expect, it } from "vitest";
import { csvHead } from "./csv";

it("reads the first rows of a file", () => {
  expect(csvHead('\uFEFFa;"b;\n""c"""\r\n1;2\r\n3;4\r\n', 2)).toEqual([["a", 'b;\n"c"'], ["1", "2"]]);
  expect(csvHead("a\tb", 3)).toEqual([["a", "b"]]);
  expect(csvHead("message,rating\nx,", 3)).toEqual([["message", "rating"], ["x", ""]]);
  expect(csvHead("", 3)).toEqual([]);
});
