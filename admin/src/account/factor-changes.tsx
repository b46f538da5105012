import { useSignal } from "@preact/signals";
import type { components } from "../../../realtime/protocol/ts";
import { useDashboard } from "../context";
import { account as words } from "../text/en-account";
import { t } from "../text/en";
import { Dialog } from "../ui/dialog";
import { useForm } from "../ui/form";
import { RecoveryCodes } from "./recovery-codes";

interface ProofProps {
  title: string;
  lead: string;
  action: string;
  danger?: boolean;
  /** With the password, which the server asks for once more. */
  onProved(proof: { current: string }): Promise<void>;
  onClose(): void;
  testid: string;
}

function ProofDialog({ title, lead, action, danger = false, onProved, onClose, testid }: ProofProps) {
  const { form, field, failure, busy } = useForm({ current: "" }, { send: onProved });
  return (
    <Dialog title={title} onClose={onClose} testid={testid}>
      <form class="dialog-form" {...form}>
        <p class="dialog-text">{lead}</p>
        {field("current", { label: words.current, type: "password", autocomplete: "current-password" })}
        {failure}
        <footer class="dialog-foot">
          <button type="button" class="button" onClick={onClose}>{t.common.cancel}</button>
          <button type="submit" class={danger ? "button danger" : "button primary"} aria-disabled={busy}>{action}</button>
        </footer>
      </form>
    </Dialog>
  );
}

/** New recovery codes end the old ones at once, so they are as much to be kept as the first. */
export function RenewCodes({ onRenewed, onClose }: { onRenewed(): void; onClose(): void }) {
  const { session } = useDashboard();
  const codes = useSignal<readonly string[] | null>(null);
  if (codes.value) return <RecoveryCodes codes={codes.value} onClose={onClose} />;
  const renew = async (proof: { current: string }): Promise<void> => {
    codes.value = (await session.request<components["schemas"]["RecoveryCodes"]>("POST", "/me/totp/recovery-codes", proof)).recovery_codes;
    onRenewed();
  };
  return <ProofDialog title={words.renew} lead={words.renewLead} action={words.renew} onProved={renew} onClose={onClose} testid="renew-dialog" />;
}

export function RemoveFactor({ onRemoved, onClose }: { onRemoved(): void; onClose(): void }) {
  const { session } = useDashboard();
  const remove = async (proof: { current: string }): Promise<void> => {
    await session.request("POST", "/me/totp/remove", proof);
    onRemoved();
    onClose();
  };
  return <ProofDialog title={words.removeTitle} lead={words.removeLead} action={words.remove} danger onProved={remove} onClose={onClose} testid="remove-dialog" />;
}
