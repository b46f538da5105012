import { useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { t } from "../text/en";
import { explainEntry } from "../entry/explain";
import { Dialog } from "./dialog";

interface ConfirmProps {
  title: string;
  lead: ComponentChildren;
  /** What else there is to decide. */
  children?: ComponentChildren;
  /** What the button says that does it. */
  action: string;
  /** The dialog stays with the reason where it throws, and is closed where it does not. */
  onConfirm(): Promise<void>;
  onClose(): void;
  testid: string;
}

/** Asks before something that cannot be taken back. The focus is on the harmless answer. */
export function Confirm({ title, lead, children, action, onConfirm, onClose, testid }: ConfirmProps) {
  const busy = useSignal(false);
  const failure = useSignal("");
  const confirm = async (): Promise<void> => {
    if (busy.value) return;
    busy.value = true;
    failure.value = "";
    try {
      await onConfirm();
      onClose();
    } catch (cause) {
      failure.value = explainEntry(cause);
      busy.value = false;
    }
  };
  return (
    <Dialog title={title} onClose={onClose} testid={testid}>
      <p class="dialog-text">{lead}</p>
      {children}
      {failure.value && <p class="banner bad dialog-note-text" role="alert">{failure.value}</p>}
      <footer class="dialog-foot">
        <button type="button" class="button" onClick={onClose}>{t.common.cancel}</button>
        <button type="button" class="button danger" aria-disabled={busy.value} data-testid={`${testid}-confirm`} onClick={confirm}>{action}</button>
      </footer>
    </Dialog>
  );
}
