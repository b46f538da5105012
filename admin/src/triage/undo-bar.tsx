import { useEffect, useRef } from "preact/hooks";
import { t } from "../text/en";
import { Icon } from "../ui/icons";
import type { UndoSlot } from "./undo";

/** Long enough to read it, see that it was wrong, and reach the button. */
const offerMs = 10_000;

/** Offers the way back for a while. It waits as long as somebody points at it or has the focus on it. */
export function UndoBar({ slot }: { slot: UndoSlot }) {
  const what = slot.offered.value;
  const held = useRef(false);
  useEffect(() => {
    if (!what) return undefined;
    held.current = false;
    const timer = setInterval(() => held.current || slot.dismiss(), offerMs);
    return () => clearInterval(timer);
  }, [what]);
  const hold = (on: boolean) => () => void (held.current = on);
  // The region is there before it speaks: screen readers miss what appears together with its region.
  return (
    <div class="undo" role="status" aria-live="polite">
      {what && (
        <div class="notice" data-testid="undo-bar" onPointerEnter={hold(true)} onPointerLeave={hold(false)} onFocusIn={hold(true)} onFocusOut={hold(false)}>
          <Icon name="check" />
          <span>{what.text}</span>
          <button type="button" class="button small" data-testid="undo" aria-keyshortcuts="z" onClick={slot.undo}>
            {t.triage.undo}
            <kbd aria-hidden="true">Z</kbd>
          </button>
          <button type="button" class="icon-button" aria-label={t.common.close} onClick={slot.dismiss}><Icon name="close" /></button>
        </div>
      )}
    </div>
  );
}
