import { useSignal } from "@preact/signals";
import { useEffect, useMemo, useRef } from "preact/hooks";
import { useDashboard } from "../context";
import { currentHref, navigate } from "../router";
import type { SignInMethods } from "../session/types";
import { login as words } from "../text/en-entry";
import { TextField } from "../ui/field";
import { Brand } from "../ui/icons";
import { useTitle } from "./card";
import { createSignIn, type SignIn } from "./sign-in";

type Refusal = keyof typeof words.oidc;

/** Why the other provider let nobody in, as the server says it in the fragment. */
function readRefusal(): Refusal | null {
  const why = new URLSearchParams(currentHref.peek().split("#")[1] ?? "").get("oidc");
  return why && Object.hasOwn(words.oidc, why) ? (why as Refusal) : null;
}

/**
 * The sign-in page. It says why somebody is here when that was not their own doing; where they go afterwards is in the
 * URL and is the frame's business.
 */
export function LoginPage() {
  const { session } = useDashboard();
  const signIn = useMemo(() => createSignIn(session), [session]);
  const step = signIn.step.value;
  useTitle(step === "code" ? words.codeTitle : words.title);
  return <main class="alone">{step === "code" ? <CodeForm signIn={signIn} /> : <PasswordForm signIn={signIn} />}</main>;
}

function PasswordForm({ signIn }: { signIn: SignIn }) {
  const { session } = useDashboard();
  const email = useSignal("");
  const password = useSignal("");
  const methods = useSignal<SignInMethods | null>(null);
  const setupNeeded = useSignal(false);
  const form = useRef<HTMLFormElement>(null);
  const refusal = useMemo(readRefusal, []);
  const state = session.state.value;
  const reason = state.name === "out" ? state.reason : "none";
  const error = signIn.error.value;

  useEffect(() => {
    // There is one thing to do on this page, and people come here to do it.
    form.current?.querySelector("input")?.focus();
    // A reload is another visit, and owes no old explanation.
    if (refusal) navigate(currentHref.peek().split("#")[0] ?? "/login", { replace: true });
    // Not knowing is no reason to keep anybody out.
    session.ask<SignInMethods>("/auth/methods").then((known) => (methods.value = known), () => undefined);
    if (reason === "none") session.ask<{ needed: boolean }>("/setup").then(({ needed }) => (setupNeeded.value = needed), () => undefined);
  }, []);
  // It is mostly the password that is wrong, and it cannot be read again anyway.
  useEffect(() => {
    if (error) form.current?.querySelector<HTMLInputElement>("input[type=password]")?.select();
  }, [error]);

  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    void signIn.password(email.value, password.value);
  };
  const busy = signIn.busy.value;
  return (
    <form class="card" ref={form} onSubmit={submit} data-testid="login">
      <Brand />
      <h1>{words.title}</h1>
      {reason === "none" && !refusal && !setupNeeded.value && <p class="lead">{words.lead}</p>}
      {refusal && <p class="banner bad" role="alert" data-testid="login-refusal">{words.oidc[refusal]}</p>}
      {reason !== "none" && !refusal && <p class="banner" role="status" data-testid="login-reason">{words[reason]}</p>}
      {setupNeeded.value && <p class="banner" role="status">{words.setupNeeded}</p>}
      <TextField label={words.email} value={email.value} onInput={(value) => (email.value = value)} input={{ type: "email", name: "email", autocomplete: "username", required: true }} />
      <TextField label={words.password} value={password.value} onInput={(value) => (password.value = value)} input={{ type: "password", name: "password", autocomplete: "current-password", required: true }} />
      {error && <p class="banner bad" role="alert" data-testid="login-error">{error}</p>}
      <button type="submit" class="button primary block" aria-disabled={busy}>{busy ? words.busy : words.submit}</button>
      {methods.value && <OtherWays methods={methods.value} />}
    </form>
  );
}

/** What else the server offers. It comes after the form, which nothing moves. */
function OtherWays({ methods }: { methods: SignInMethods }) {
  return (
    <>
      {methods.oidc && (
        <>
          <p class="card-or" aria-hidden="true">{words.or}</p>
          <a class="button block" href="/api/v1/auth/oidc" data-testid="login-oidc">{words.provider(methods.oidc)}</a>
        </>
      )}
      <div class="card-foot">
        {methods.mail ? <a href="/forgot">{words.forgot}</a> : <p class="hint" data-testid="login-no-mail">{words.noMail}</p>}
        {methods.signup && <a href="/signup">{words.signup}</a>}
      </div>
    </>
  );
}

/** The second step. A recovery code has letters in it, and so has a field with another keyboard. */
function CodeForm({ signIn }: { signIn: SignIn }) {
  const code = useSignal("");
  const recovery = useSignal(false);
  const form = useRef<HTMLFormElement>(null);
  const error = signIn.error.value;
  useEffect(() => form.current?.querySelector("input")?.select(), [error, recovery.value]);
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    void signIn.code(code.value);
  };
  const change = (): void => {
    recovery.value = !recovery.value;
    code.value = "";
  };
  const busy = signIn.busy.value;
  return (
    <form class="card" ref={form} onSubmit={submit} data-testid="login-code">
      <Brand />
      <h1>{words.codeTitle}</h1>
      <p class="lead">{recovery.value ? words.recoveryLead : words.codeLead}</p>
      <TextField
        key={recovery.value ? "recovery" : "code"}
        label={recovery.value ? words.recoveryCode : words.code}
        value={code.value}
        onInput={(value) => (code.value = value)}
        input={{ name: "totp", required: true, dir: "ltr", spellcheck: false, ...(recovery.value ? { autocomplete: "off" } : { autocomplete: "one-time-code", inputMode: "numeric" }) }}
      />
      {error && <p class="banner bad" role="alert" data-testid="login-error">{error}</p>}
      <button type="submit" class="button primary block" aria-disabled={busy}>{busy ? words.busy : words.submit}</button>
      <div class="card-foot">
        <button type="button" class="link" data-testid="login-recovery" onClick={change}>{recovery.value ? words.useCode : words.useRecovery}</button>
        <button type="button" class="link" onClick={signIn.back}>{words.otherAccount}</button>
      </div>
    </form>
  );
}
