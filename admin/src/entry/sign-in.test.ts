import { describe, expect, it, vi } from "vitest";
import { Problem, Unreachable } from "../session/problem";
import type { Credentials } from "../session/types";
import { login as words } from "../text/en-entry";
import { createSignIn } from "./sign-in";

const refused = (...paths: string[]): Problem => new Problem(401, "unauthorized", "no", paths.map((path) => ({ path, message: "is required" })));

function setUp(...answers: unknown[]) {
  const login = vi.fn(async (_: Credentials): Promise<void> => {
    const answer = answers.shift();
    if (answer) throw answer;
  });
  const signIn = createSignIn({ login });
  const seen = (): [string, string] => [signIn.step.value, signIn.error.value];
  return { login, signIn, seen };
}

describe("signing in", () => {
  it("asks for a code where the password was right and the account has a second factor, and sends both", async () => {
    const { login, signIn, seen } = setUp(refused("totp"));
    await signIn.password(" ann@a.example ", "a long password");
    expect(seen()).toEqual(["code", ""]);
    await signIn.code(" 123456 ");
    expect(login).toHaveBeenLastCalledWith({ email: "ann@a.example", password: "a long password", totp: "123456" });
  });

  it("stays with the code where that was wrong", async () => {
    const { signIn, seen } = setUp(refused("totp"), refused("totp"));
    await signIn.password("ann@a.example", "a long password");
    await signIn.code("000000");
    expect(seen()).toEqual(["code", words.wrongCode]);
  });

  it.each([
    ["a wrong password", refused(), ["password", words.wrong]],
    ["a password that cannot be one", new Problem(422, "invalid_field", "no", [{ path: "password", message: "too short" }]), ["password", words.wrong]],
    ["too many attempts", new Problem(429, "rate_limited", "no", [], undefined, 40_000), ["password", "Too many attempts. Try again in 40 seconds."]],
    ["too many attempts for minutes", new Problem(429, "rate_limited", "no", [], undefined, 125_000), ["password", "Too many attempts. Try again in 3 minutes."]],
    ["no organisation", new Problem(403, "forbidden", "this account belongs to no organisation"), ["password", "this account belongs to no organisation"]],
    ["no network", new Unreachable("down"), ["password", expect.stringContaining("cannot be reached")]],
  ])("says %s", async (_, answer, want) => {
    const { signIn, seen } = setUp(answer);
    await signIn.password("ann@a.example", "a long password");
    expect(seen()).toEqual(want);
    expect(signIn.busy.value).toBe(false);
  });

  it("begins anew where the password is not right any more", async () => {
    const { signIn, seen } = setUp(refused("totp"), refused());
    await signIn.password("ann@a.example", "a long password");
    await signIn.code("123456");
    expect(seen()).toEqual(["password", words.wrong]);
  });

  it("forgets the password of who goes back", async () => {
    const { login, signIn, seen } = setUp(refused("totp"), refused("totp"));
    await signIn.password("ann@a.example", "a long password");
    signIn.back();
    expect(seen()).toEqual(["password", ""]);
    await signIn.code("123456");
    expect(login).toHaveBeenLastCalledWith({ email: "", password: "", totp: "123456" });
  });

  it("sends one attempt at a time", async () => {
    const { login, signIn } = setUp();
    await Promise.all([signIn.password("ann@a.example", "a long password"), signIn.password("ann@a.example", "a long password")]);
    expect(login).toHaveBeenCalledTimes(1);
  });
});
