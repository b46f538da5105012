import { useSignal } from "@preact/signals";
import { t } from "../text/en";
import { Icon } from "./icons";

/** Code is shown as text and copied as it is, without the line breaks of the screen. */
interface CodeProps {
  label: string;
  code: string;
  testid: string;
}

/** Code to take away. Where the clipboard is refused (plain http) the text is selected instead, ready for Ctrl+C. */
export function Code({ label, code, testid }: CodeProps) {
  const copied = useSignal(false);
  const copy = async (event: Event & { currentTarget: HTMLElement }): Promise<void> => {
    const source = event.currentTarget.parentElement?.querySelector("code");
    try {
      await navigator.clipboard.writeText(code);
      copied.value = true;
      setTimeout(() => (copied.value = false), 2_000);
    } catch {
      if (source) getSelection()?.selectAllChildren(source);
    }
  };
  return (
    <div class="code">
      {/* Focusable, because long code scrolls; named, because a region has to be. */}
      <pre role="region" tabIndex={0} aria-label={label} dir="ltr"><code data-testid={testid}>{code}</code></pre>
      <button type="button" class="button small" onClick={copy} data-testid={`${testid}-copy`}>
        <Icon name={copied.value ? "check" : "copy"} />
        <span aria-live="polite">{copied.value ? t.common.copied : t.common.copy}</span>
      </button>
    </div>
  );
}
