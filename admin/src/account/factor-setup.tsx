import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { components } from "../../../realtime/protocol/ts";
import { useDashboard } from "../context";
import { account as words } from "../text/en-account";
import { t } from "../text/en";
import { Code } from "../ui/copy";
import { Dialog } from "../ui/dialog";
import { useForm } from "../ui/form";
import { RecoveryCodes } from "./recovery-codes";

type Schemas = components["schemas"];
type NewFactor = Schemas["NewFactor"];

type Step = { name: "prove" } | { name: "scan"; factor: NewFactor } | { name: "keep"; codes: readonly string[] };

/** From the password to the recovery codes. The last step is left only by saying that they are kept. */
export function FactorSetup({ onOn, onClose }: { onOn(): void; onClose(): void }) {
  const step = useSignal<Step>({ name: "prove" });
  const now = step.value;
  // It is on from the moment that the code was right, whatever becomes of the dialog.
  const confirmed = (codes: readonly string[]): void => {
    step.value = { name: "keep", codes };
    onOn();
  };
  if (now.name === "keep") return <RecoveryCodes codes={now.codes} onClose={onClose} />;
  return (
    <Dialog title={words.setUpTitle} onClose={onClose} testid="factor-dialog">
      {now.name === "prove" ? <Prove onProved={(factor) => (step.value = { name: "scan", factor })} onClose={onClose} /> : <Scan factor={now.factor} onConfirmed={confirmed} onClose={onClose} />}
    </Dialog>
  );
}

function Prove({ onProved, onClose }: { onProved(factor: NewFactor): void; onClose(): void }) {
  const { session } = useDashboard();
  const { form, field, failure, busy } = useForm({ current: "" }, {
    send: async (fields) => onProved(await session.request<NewFactor>("POST", "/me/totp", fields)),
  });
  return (
    <form class="dialog-form" {...form}>
      <p class="dialog-text">{words.proveLead}</p>
      {field("current", { label: words.current, type: "password", autocomplete: "current-password" })}
      {failure}
      <footer class="dialog-foot">
        <button type="button" class="button" onClick={onClose}>{t.common.cancel}</button>
        <button type="submit" class="button primary" aria-disabled={busy}>{words.next1}</button>
      </footer>
    </form>
  );
}

interface ScanProps {
  factor: NewFactor;
  onConfirmed(codes: readonly string[]): void;
  onClose(): void;
}

function Scan({ factor, onConfirmed, onClose }: ScanProps) {
  const { session } = useDashboard();
  const picture = usePicture(factor.qr);
  const { form, field, failure, busy } = useForm({ code: "" }, {
    focus: true,
    async send({ code }) {
      const { recovery_codes } = await session.request<Schemas["RecoveryCodes"]>("POST", "/me/totp/confirm", { code: code.replaceAll(" ", "") });
      onConfirmed(recovery_codes);
    },
  });
  return (
    <form class="dialog-form" {...form}>
      <p class="dialog-text">{words.scan}</p>
      <p class="qr">{picture && <img src={picture} alt={words.qr} width={200} height={200} data-testid="factor-qr" />}</p>
      <div class="field">
        <p class="hint">{words.secret}</p>
        <Code label={words.secretLabel} code={factor.secret} testid="factor-secret" />
      </div>
      {field("code", { label: words.code, autocomplete: "one-time-code", inputMode: "numeric", maxLength: 7 })}
      {failure}
      <footer class="dialog-foot">
        <button type="button" class="button" onClick={onClose}>{t.common.cancel}</button>
        <button type="submit" class="button primary" aria-disabled={busy}>{words.turnOn}</button>
      </footer>
    </form>
  );
}

/** An image that came in an answer, as an address: the page's policy admits no other. It ends with the component. */
function usePicture(base64: string): string | null {
  const address = useSignal<string | null>(null);
  useEffect(() => {
    const bytes = Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));
    const made = URL.createObjectURL(new Blob([bytes], { type: "image/png" }));
    address.value = made;
    return () => URL.revokeObjectURL(made);
  }, [base64]);
  return address.value;
}
