import { expect, it } from "vitest";
import { pages } from "./insights-page";

const named = (...values: string[]) => pages({ pages: values.map((value) => ({ value, n: 1 })) }).map(({ label, after, whole }) => [label, after, whole]);

it("leaves the site out where all pages are of one", () =>
  expect(named("shop.example/cart", "shop.example")).toEqual([["/cart", undefined, "shop.example/cart"], ["/", undefined, "shop.example"]]));

it("puts what tells pages apart before the site", () =>
  expect(named("shop.example/cart", "blog.example")).toEqual([["/cart", "shop.example", "shop.example/cart"], ["/", "blog.example", "blog.example"]]));
