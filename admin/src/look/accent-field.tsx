import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { look as lookText } from "../text/en-settings";
import { Field } from "../ui/field";
import { contrast, isHex, onAccent } from "./colour";

/** Each has at least 4.5 : 1 under white text. */
const swatches = ["#4f46e5", "#2563eb", "#0f766e", "#15803d", "#b45309", "#be123c", "#9333ea", "#1f2937"];

interface AccentProps {
  value: string;
  onPick(hex: string): void;
  disabled?: boolean;
  error?: string | undefined;
}

/** Picker, field and swatches for one colour, and what it means for the people who have to read on it. */
export function AccentField({ value, onPick, disabled = false, error }: AccentProps) {
  const typed = useSignal(value);
  useEffect(() => void (typed.value = value), [value]);
  // Half-typed colours stay in the field and go no further; a missing # is forgiven.
  const write = (next: string): void => {
    const hex = next.startsWith("#") ? next : `#${next}`;
    typed.value = next;
    if (isHex(hex)) onPick(hex.toLowerCase());
  };
  const bad = !isHex(typed.value.startsWith("#") ? typed.value : `#${typed.value}`);
  return (
    <Field label={lookText.accentHex} error={bad ? lookText.badHex : error}>
      {(wiring) => (
        <>
          <div class="accent-row">
            {/* Three ways to the same value: by eye, by number, and from a few that are known to be readable. */}
            <input type="color" class="colour" aria-label={lookText.accent} disabled={disabled} value={value} onInput={(event) => onPick(event.currentTarget.value)} />
            <input {...wiring} class="input mono" dir="ltr" spellcheck={false} maxLength={7} disabled={disabled} value={typed.value} data-testid="accent" onInput={(event) => write(event.currentTarget.value.trim())} />
            <div class="swatches">
              {swatches.map((hex) => (
                <button key={hex} type="button" class="swatch" disabled={disabled} aria-label={`${lookText.accent} ${hex}`} aria-pressed={hex === value} style={{ "--swatch": hex }} onClick={() => onPick(hex)} />
              ))}
            </div>
          </div>
          <Contrast accent={value} />
        </>
      )}
    </Field>
  );
}

/** A mark on the page needs 3 : 1 against what is around it (WCAG 1.4.11). */
const visible = 3;

/** What the widget writes on the accent is always readable; whether the button is seen on a page is the owner's choice. */
function Contrast({ accent }: { accent: string }) {
  if (!isHex(accent)) return null;
  const text = contrast(accent, onAccent(accent));
  const page = contrast(accent, "#ffffff");
  // White stands for the page: it is the ground that most launchers lie on.
  const ok = page >= visible;
  return (
    <div class="contrast" role="status" data-testid="contrast" data-ok={ok}>
      <span class="sample" aria-hidden="true" style={{ "--swatch": accent, "--on-swatch": onAccent(accent) }}>Aa</span>
      <p>
        {lookText.onButton(text.toFixed(1))}
        <br />
        <span class={ok ? "good-text" : "bad-text"}>{ok ? lookText.visible(page.toFixed(1)) : lookText.faint(page.toFixed(1))}</span>
      </p>
    </div>
  );
}
