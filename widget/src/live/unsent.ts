import type { Config } from "../config";
import type { Draft } from "../form";

export interface Unsent {
  /** The draft is another, or gone. */
  note(): void;
  /** The draft is in the outbox now, and must not be in two places. */
  forget(): void;
}

/**
 * Keeps the text that is not sent yet over a reload, in this tab alone, and the visitor's word on who may read along.
 * Restores it when it is created, unless there is another by then. Without storage a draft ends with its page.
 */
export function createUnsent({ key, storage }: Config, draft: Draft): Unsent {
  const name = `earshot:${key}:draft`;

  function keep(...entry: unknown[]): void {
    try {
      if (storage === "off") return;
      if (entry.length) sessionStorage.setItem(name, JSON.stringify(entry));
      else sessionStorage.removeItem(name);
    } catch {}
  }

  function restore(): void {
    try {
      if (draft.message || storage === "off") return;
      const [message, shared] = JSON.parse(sessionStorage.getItem(name)!);
      Object.assign(draft, { message: `${message}`, shared: shared === true });
    } catch {}
  }

  restore();
  return {
    note: () => (draft.message ? keep(draft.message, draft.shared) : keep()),
    forget: () => keep(),
  };
}
