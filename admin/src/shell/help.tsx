import { useSignal } from "@preact/signals";
import { readSingleKeys, writeSingleKeys } from "../preferences";
import { t } from "../text/en";
import { Dialog } from "../ui/dialog";
import { Switch } from "../ui/field";

/** Written out and not read from the bindings: a sheet is grouped for people, and pages bind only while they are shown. */
const sheet: readonly (readonly [readonly string[], string, together?: boolean])[] = [
  [["J"], t.help.next],
  [["K"], t.help.previous],
  [["Enter"], t.help.open],
  [["E"], t.help.resolve],
  [["A"], t.help.assign],
  [["L"], t.help.tag],
  [["P"], t.help.priority],
  [["U"], t.help.unread],
  [["X"], t.help.select],
  [["Shift", "X"], t.help.range, true],
  [["Z"], t.help.undo],
  [["R"], t.help.reply],
  [["N"], t.help.note],
  [["Ctrl/⌘", "Enter"], t.help.send, true],
  [["/"], t.help.search],
  [["Ctrl/⌘", "K"], t.help.palette, true],
  [["G", "I"], t.help.inbox],
  [["?"], t.help.help],
  [["Esc"], t.help.escape],
];

/** Also the place to turn single keys off, as WCAG 2.1.4 asks: who stumbles over them ends up here. */
export function HelpSheet({ onClose }: { onClose(): void }) {
  // Read anew on every opening: the account menu has the same switch.
  const single = useSignal(readSingleKeys());
  return (
    <Dialog title={t.help.title} onClose={onClose} testid="help">
      <dl class="keys">
        {sheet.map(([keys, what, together]) => (
          <div key={what}>
            <dt>
              {keys.map((key, at) => (
                <>
                  {at > 0 && <span class="faint"> {together ? "+" : t.help.then} </span>}
                  <kbd>{key}</kbd>
                </>
              ))}
            </dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
      <div class="dialog-note">
        <Switch label={t.help.toggle} hint={t.help.toggleHint} checked={single.value} onToggle={(on) => writeSingleKeys((single.value = on))} />
      </div>
    </Dialog>
  );
}
