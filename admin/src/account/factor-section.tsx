import { useSignal } from "@preact/signals";
import { useDashboard } from "../context";
import { account as words } from "../text/en-account";
import { Icon } from "../ui/icons";
import { Section } from "../ui/section";
import { FactorSetup } from "./factor-setup";
import { RemoveFactor, RenewCodes } from "./factor-changes";

/** The second factor: whether there is one, and the ways from one to the other. */
export function FactorSection() {
  const { api, workspace, notices } = useDashboard();
  const open = useSignal<"set up" | "renew" | "remove" | null>(null);
  const me = workspace.me.value?.user;
  if (!me) return null;
  const close = (): void => void (open.value = null);
  /** What was done is done: a list that is not read anew shows it with the next page. */
  const changed = (said: string): void => {
    notices.show(said);
    void workspace.know(api.me()).catch(() => undefined);
  };
  return (
    <Section title={words.factor} lead={words.factorLead} testid="factor">
      <p class="with-mark">
        {me.second_factor ? <span class="mark good"><Icon name="check" />{words.on}</span> : <span class="mark">{words.off}</span>}
      </p>
      {!me.has_password && <p class="hint">{words.needsPassword}</p>}
      {me.has_password && !me.second_factor && <p><button type="button" class="button primary" data-testid="factor-set-up" onClick={() => (open.value = "set up")}>{words.setUp}</button></p>}
      {me.second_factor && (
        <p class="part-actions">
          <button type="button" class="button" data-testid="factor-renew" onClick={() => (open.value = "renew")}>{words.renew}</button>
          <button type="button" class="button" data-testid="factor-remove" onClick={() => (open.value = "remove")}>{words.remove}</button>
        </p>
      )}
      {open.value === "set up" && <FactorSetup onOn={() => changed(words.turnedOn)} onClose={close} />}
      {open.value === "renew" && <RenewCodes onRenewed={() => changed(words.renewed)} onClose={close} />}
      {open.value === "remove" && <RemoveFactor onRemoved={() => changed(words.removed)} onClose={close} />}
    </Section>
  );
}
