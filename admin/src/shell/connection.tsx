import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { useDashboard } from "../context";
import type { Live } from "../live/live";
import { formatSeconds } from "../text/format";
import { t } from "../text/en";

/** Always on screen within a project: what is shown is only as current as this connection. */
export function ConnectionState({ active }: { active: boolean }) {
  const { live, session } = useDashboard();
  // Asking for the connection makes one: a page that watches nothing must not.
  if (!active || !session.signedIn.value) return null;
  const state = live().connection.value;
  const lost = state === "reconnecting" || state === "offline";
  return (
    <div class={`connection ${state}`}>
      <p role="status" data-testid="connection" data-state={state}>
        <span class="dot" aria-hidden="true" />
        {t.connection[state]}
      </p>
      {lost && <Countdown live={live()} offline={state === "offline"} />}
      {lost && (
        <button type="button" class="button small" data-testid="try-now" onClick={() => live().tryNow()}>
          {t.connectionRetry.now}
        </button>
      )}
    </div>
  );
}

/** Beside the status and not in it: nobody wants every second read out. */
function Countdown({ live, offline }: { live: Live; offline: boolean }) {
  const now = useSignal(Date.now());
  useEffect(() => {
    const clock = setInterval(() => (now.value = Date.now()), 500);
    return () => clearInterval(clock);
  }, [now]);
  const at = live.retryAt.value;
  // Rounded down: "in 0 s" would be over before it is read.
  const seconds = at === null ? 0 : Math.floor((at - now.value) / 1000);
  if (seconds < 1) return null;
  const words = offline ? t.connectionRetry.next : t.connectionRetry.soon;
  return <span class="countdown" data-testid="countdown">{words(formatSeconds(seconds))}</span>;
}
