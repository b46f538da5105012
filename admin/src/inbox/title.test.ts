import { expect, it } from "vitest";
import type { View } from "../session/types";
import { titleOf } from "./inbox-page";
import { everything } from "./query";

const saved = [{ id: "v1", name: "\u202estuo gnikcehC" }] as View[];

it.each([
  ["a saved view's name, which somebody else may have chosen", "v1", "\u2068stuo gnikcehC\u2069"],
  ["what the list began as, where the view is gone", "v2", "All feedback"],
])("the title is %s", (_, view, want) => expect(titleOf({ ...everything, view }, saved)).toBe(want));
