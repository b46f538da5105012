import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { useDashboard } from "../context";
import { linkToken } from "../router";
import { Problem } from "../session/problem";
import { t } from "../text/en";
import { entry, verify as words } from "../text/en-entry";
import { explainEntry } from "./explain";
import { EntryCard } from "./card";

/** Confirms an address by the link of a mail: opening it is all that is asked of anybody. */
export function VerifyPage() {
  const token = linkToken("verify");
  return <Verify key={token} token={token} />;
}

function Verify({ token }: { token: string }) {
  const { session, api, workspace } = useDashboard();
  const state = useSignal<"busy" | "done" | "bad">(token ? "busy" : "bad");
  const failure = useSignal("");
  const signedIn = session.signedIn.value;

  const confirm = async (): Promise<void> => {
    failure.value = "";
    try {
      await session.ask("/auth/email/verify", { token });
      state.value = "done";
      if (session.signedIn.peek()) await workspace.know(api.me()).catch(() => undefined);
    } catch (cause) {
      if (cause instanceof Problem && cause.status === 401) state.value = "bad";
      else failure.value = `${words.failed} ${explainEntry(cause)}`;
    }
  };
  useEffect(() => {
    if (token) void confirm();
  }, []);

  const on = <a class="button primary block" href={signedIn ? "/" : "/login"}>{signedIn ? entry.toDashboard : entry.toLogin}</a>;
  if (state.value === "done") return <EntryCard title={words.done} lead={words.doneLead} testid="verify-done">{on}</EntryCard>;
  if (state.value === "bad") return <EntryCard title={words.bad} lead={words.badLead} testid="verify-bad">{on}</EntryCard>;
  return (
    <EntryCard title={words.title} testid="verify">
      {failure.value ? (
        <>
          <p class="banner bad" role="alert">{failure.value}</p>
          <button type="button" class="button primary block" onClick={confirm}>{t.common.retry}</button>
        </>
      ) : (
        <p class="lead" role="status">{words.busy}</p>
      )}
    </EntryCard>
  );
}
