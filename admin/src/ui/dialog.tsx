import type { ComponentChildren } from "preact";
import { useEffect, useId, useRef } from "preact/hooks";
import { t } from "../text/en";
import { Icon } from "./icons";

/** Mounted means open: the parent decides, and closing is its answer to `onClose`. */
interface DialogProps {
  title: string;
  children: ComponentChildren;
  /** Called for every way out: Esc, the cross, a click beside it. */
  onClose(): void;
  testid?: string;
}

/** A modal sheet. The native element brings the focus trap, inertness of the page, Esc and the return of focus. */
export function Dialog({ title, children, onClose, testid }: DialogProps) {
  const ref = useRef<HTMLDialogElement>(null);
  const heading = useId();
  useEffect(() => {
    const dialog = ref.current;
    // The browser returns the focus only to what is still there and was focused when the dialog opened.
    const opener = document.activeElement;
    dialog?.showModal();
    // Into the form, or to the harmless answer: the browser would choose the cross.
    dialog?.querySelector<HTMLElement>(".dialog-form input, .dialog-foot button")?.focus();
    return () => {
      dialog?.close();
      // Unless the next key has taken it somewhere already: whoever types does not wait for a drawing.
      const focused = document.activeElement;
      const free = !focused || focused === document.body || dialog?.contains(focused);
      if (free && opener instanceof HTMLElement && opener.isConnected) opener.focus();
    };
  }, []);
  return (
    <dialog
      ref={ref}
      class="dialog"
      aria-labelledby={heading}
      data-testid={testid}
      onCancel={(event) => {
        // Closing is the parent's to decide; the browser would close it and leave the state behind.
        event.preventDefault();
        onClose();
      }}
      // On the way down: who selects text and lets go outside of the sheet does not want to close it.
      onMouseDown={(event) => event.target === ref.current && onClose()}
    >
      <div class="dialog-box">
        <header class="dialog-head">
          <h2 id={heading}>{title}</h2>
          <button type="button" class="icon-button" aria-label={t.common.close} onClick={onClose}>
            <Icon name="close" />
          </button>
        </header>
        {children}
      </div>
    </dialog>
  );
}
