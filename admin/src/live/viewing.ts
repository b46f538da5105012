import type { EventData, ClientEvent } from "./events";

export type View = EventData<"Viewing", ClientEvent>;

/** Told again this often while somebody types: others take it for over when nothing comes. */
const refreshMs = 3_000;
/** Without a key for this long nobody is typing any more. */
const idleMs = 5_000;
/** Stepping through a list opens thirty items a second; only the one that is stayed on is worth telling. */
const settleMs = 150;

/** Tells others what this window has open and whether an answer is being written in it. */
export interface Viewing {
  /** Null: nothing. */
  open(feedbackId: string | null): void;
  /** A key in the answer. */
  typed(): void;
  /** The answer is sent, emptied or left. */
  rested(): void;
  /** A hidden window has nothing open, whatever it shows. */
  visible(visible: boolean): void;
  /** Another connection, which knows nothing yet. */
  connected(): void;
  close(): void;
}

export function createViewing(tell: (view: View) => void): Viewing {
  let opened: string | null = null;
  let typing = false;
  let shown = true;
  let told = "";
  let settle: ReturnType<typeof setTimeout> | undefined;
  let refresh: ReturnType<typeof setInterval> | undefined;
  let idle: ReturnType<typeof setTimeout> | undefined;

  function say(again = false): void {
    clearTimeout(settle);
    const view: View = { feedback_id: shown ? opened : null, typing: shown && opened !== null && typing };
    const spelled = JSON.stringify(view);
    // A fresh connection takes silence for "nothing".
    if (spelled === told && !again) return;
    told = spelled;
    tell(view);
  }

  function rest(): void {
    typing = false;
    clearInterval(refresh);
    clearTimeout(idle);
  }

  return {
    open(feedbackId) {
      if (feedbackId === opened) return;
      rest();
      opened = feedbackId;
      clearTimeout(settle);
      settle = setTimeout(say, settleMs);
    },
    typed() {
      clearTimeout(idle);
      idle = setTimeout(() => {
        rest();
        say();
      }, idleMs);
      if (typing || opened === null) return;
      typing = true;
      refresh = setInterval(() => say(true), refreshMs);
      say();
    },
    rested() {
      if (!typing) return clearTimeout(idle);
      rest();
      say();
    },
    visible(visible) {
      if (visible === shown) return;
      shown = visible;
      if (!visible) rest();
      say();
    },
    connected() {
      told = "";
      if (opened !== null) say();
    },
    close() {
      rest();
      clearTimeout(settle);
    },
  };
}
