import type { Viewer } from "../live/presence";
import { t } from "../text/en";
import { initials } from "../text/format";

/** As many as fit beside what they look at; the number tells of the rest. */
const most = 2;

/** Who else has an item open, by their initials. The names are said in one sentence and shown on hover. */
export function Viewers({ viewers, testid }: { viewers: readonly Viewer[]; testid: string }) {
  if (viewers.length === 0) return null;
  const names = t.presence.viewing(viewers.map(({ name }) => name));
  const rest = viewers.length - most;
  return (
    <span class="viewers" role="img" aria-label={names} title={names} data-testid={testid}>
      {viewers.slice(0, most).map(({ userId, name, typing }) => (
        <span key={userId} class={typing ? "avatar viewer writing" : "avatar viewer"} aria-hidden="true">{initials(name)}</span>
      ))}
      {rest > 0 && <span class="avatar viewer" aria-hidden="true">+{rest}</span>}
    </span>
  );
}

/** Who is writing an answer right now. Its line is always there: text that comes and goes must not move what is above it. */
export function TypingLine({ viewers }: { viewers: readonly Viewer[] }) {
  const names = viewers.filter(({ typing }) => typing).map(({ name }) => name);
  return (
    <p class="typing-line" data-testid="typing" title={names.length > 0 ? t.presence.typing(names) : undefined}>
      {names.length > 0 && (
        <>
          <span class="typing" aria-hidden="true"><i /><i /><i /></span>
          {/* By their first names: the line is short, and "is typing" must not be what is cut off. */}
          <span class="cut">{t.presence.typing(names.map((name) => name.split(" ", 1)[0] ?? name))}</span>
        </>
      )}
    </p>
  );
}
