import { expect, it } from "vitest";
import { fill } from "./fill";

it("fills in what is known", () => {
  const known = { "visitor.name": "", "visitor.email": "a@example.com", page: "/cart", "member.name": "Ann" };
  expect(fill("Hello {{visitor.name| there }}, {{ member.name }} here about {{page}}. {{visitor.name}}{{other}}", known)).toBe("Hello there, Ann here about /cart. {{other}}");
});
