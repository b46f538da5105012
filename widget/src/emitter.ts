/** Events of the public API, with what their listeners find in `detail`. */
export interface Details {
  ready: { version: string };
  open: { kind?: string };
  submit: { message: string; kind?: string; rating?: number; email?: string };
  sent: { id: string };
  error: { code: string; message: string; id?: string };
  close: Record<string, never>;
}
export type EventName = keyof Details;
export type Listener = (event: CustomEvent) => unknown;

export interface Emitter {
  on(name: string, listener: Listener): void;
  off(name: string, listener?: Listener): void;
  /** False when a listener of a cancelable event said no. A listener that throws never stops the widget. */
  emit<N extends EventName>(name: N, detail: Details[N]): boolean;
  /** `ready` is told to listeners that come late, too. */
  ready(version: string): void;
}

export function createEmitter(): Emitter {
  const listeners: [string, Listener][] = [];
  let readyEvent: CustomEvent | undefined;

  function call(listener: Listener, event: CustomEvent): void {
    try {
      if (listener(event) === false) event.preventDefault();
    } catch (error) {
      // The page's own mistake belongs in the page's own error reporting.
      setTimeout(() => {
        throw error;
      });
    }
  }

  function dispatch(name: string, detail: object): CustomEvent {
    const cancelable = name === "open" || name === "submit";
    const event = new CustomEvent(`earshot:${name}`, { detail, cancelable });
    for (const [wanted, listener] of [...listeners]) if (wanted === name) call(listener, event);
    window.dispatchEvent(event);
    return event;
  }

  return {
    on(name, listener) {
      listeners.push([name, listener]);
      if (name === "ready" && readyEvent) call(listener, readyEvent);
    },
    off(name, listener) {
      for (let i = listeners.length; i--; ) {
        const [wanted, known] = listeners[i]!;
        if (wanted === name && (!listener || known === listener)) listeners.splice(i, 1);
      }
    },
    emit: (name, detail) => !dispatch(name, detail).defaultPrevented,
    ready(version) {
      readyEvent = dispatch("ready", { version });
    },
  };
}
