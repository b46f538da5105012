import type { Config } from "../config";
import type { Draft } from "../form";

export interface Unsent {
  /** The draft is another, or gone. */
  note(): void;
  /** The draft is in the outbox now, and must not be in two places. */
  forget(): void;
}

/** Enough of a visitor's secret to tell them from another, and too little to be taken for them. */
const MARK_LENGTH = 8;

/**
 * Keeps the text that is not sent yet over a reload, in this tab alone, and the visitor's word on who may read along.
 * Restores it when it is created, unless there is another by then, or another visitor: a logout in one tab tells none of
 * the others. `token` is the stored one, which who never wrote has not. Without storage a draft ends with its page.
 */
export function createUnsent({ key, storage }: Config, draft: Draft, token: () => string | undefined): Unsent {
  // A reset takes it away by this name, also where this script was not loaded.
  const name = `earshot:${key}:draft`;
  const mark = () => token()?.slice(0, MARK_LENGTH);

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
      const [message, shared, writer] = JSON.parse(sessionStorage.getItem(name)!);
      if (writer && writer !== mark()) return keep();
      Object.assign(draft, { message: `${message}`, shared: shared === true });
    } catch {}
  }

  restore();
  return {
    note: () => (draft.message ? keep(draft.message, draft.shared, mark()) : keep()),
    forget: () => keep(),
  };
}
