import { signal, type ReadonlySignal } from "@preact/signals";
import { Problem } from "../session/problem";
import type { Session } from "../session/session";
import { login as words } from "../text/en-entry";
import { explainEntry } from "./explain";

/** What is asked for now. */
export type SignInStep = "password" | "code";

/** Signing in: the password, and then the code where the account has a second factor. */
export interface SignIn {
  step: ReadonlySignal<SignInStep>;
  busy: ReadonlySignal<boolean>;
  error: ReadonlySignal<string>;
  /** The password is kept from here until the code is right, or the step is left. */
  password(email: string, password: string): Promise<void>;
  code(totp: string): Promise<void>;
  back(): void;
}

/** The server asks for a code in the same words as it refuses one: by naming the field. */
const wantsCode = (cause: unknown): boolean => cause instanceof Problem && cause.status === 401 && cause.fields.some(({ path }) => path === "totp");

export function createSignIn({ login }: Pick<Session, "login">): SignIn {
  const step = signal<SignInStep>("password");
  const busy = signal(false);
  const error = signal("");
  let first = { email: "", password: "" };

  async function attempt(totp: string | null): Promise<void> {
    // Attempts are counted by the server; an impatient second click must not cost one.
    if (busy.peek()) return;
    busy.value = true;
    error.value = "";
    try {
      // The page is left by the guard, as soon as the session says that somebody is in.
      await login(totp === null ? first : { ...first, totp });
    } catch (cause) {
      if (wantsCode(cause)) {
        step.value = "code";
        error.value = totp === null ? "" : words.wrongCode;
      } else if (cause instanceof Problem && (cause.status === 401 || cause.status === 422)) {
        // A password that could not be one (422) is a wrong one to the person; the rules are told where one is chosen.
        step.value = "password";
        error.value = words.wrong;
      } else {
        error.value = explainEntry(cause);
      }
    } finally {
      busy.value = false;
    }
  }

  return {
    step,
    busy,
    error,
    password(email, password) {
      if (!busy.peek()) first = { email: email.trim(), password };
      return attempt(null);
    },
    code: (totp) => attempt(totp.trim()),
    back() {
      first = { email: "", password: "" };
      step.value = "password";
      error.value = "";
    },
  };
}
