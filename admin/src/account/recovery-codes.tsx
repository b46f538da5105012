import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { account as words } from "../text/en-account";
import { Code } from "../ui/copy";
import { Dialog } from "../ui/dialog";
import { download } from "../ui/download";

/** Shown once. Nobody leaves without saying that they are kept: Esc and a slip of the mouse would lose them. */
export function RecoveryCodes({ codes, onClose }: { codes: readonly string[]; onClose(): void }) {
  const kept = useSignal(false);
  const asked = useSignal(false);
  const box = useRef<HTMLInputElement>(null);
  const text = codes.join("\n");
  const leave = (): void => {
    if (kept.value) return onClose();
    asked.value = true;
    box.current?.focus();
  };
  const save = (): void => download(new Blob([`${text}\n`], { type: "text/plain" }), words.fileName);
  // The button that led here is gone with its form.
  useEffect(() => box.current?.focus(), []);
  return (
    <Dialog title={words.codesTitle} onClose={leave} testid="recovery-dialog">
      <div class="dialog-form">
        <p class="dialog-text">{words.codesLead}</p>
        <div class="codes"><Code label={words.codesLabel} code={text} testid="recovery-codes" /></div>
        <p><button type="button" class="button small" data-testid="recovery-download" onClick={save}>{words.download}</button></p>
        <label class="check">
          <input ref={box} type="checkbox" checked={kept.value} data-testid="recovery-kept" aria-describedby={asked.value ? "recovery-asked" : undefined} onChange={(event) => (kept.value = event.currentTarget.checked)} />
          {words.kept}
        </label>
        {asked.value && !kept.value && <p class="field-error" role="alert" id="recovery-asked">{words.doneHint}</p>}
        <footer class="dialog-foot">
          <button type="button" class="button primary" aria-disabled={!kept.value} data-testid="recovery-done" onClick={leave}>{words.done}</button>
        </footer>
      </div>
    </Dialog>
  );
}
