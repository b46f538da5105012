/** Events of the public API, with what their listeners find in `detail`. */
export interface Details {
  ready: { version: string };
  open: { kind?: string };
  submit: { message: string; kind?: string; rating?: number; email?: string };
  sent: { id: string };
  error: { code: string; message: string; id?: string };
  close: Record<string, never>;
}
export type Listener = (event: CustomEvent) => unknown;

export interface Emitter {
  on(name: string, listener: Listener): void;
  /** Without a listener: all of that name. */
  off(name: string, listener?: Listener): void;
  /** False when a listener of a cancelable event said no. The first event is `ready`. */
  emit<N extends keyof Details>(name: N, detail: Details[N]): boolean;
}

/** Built on the page's own event system, which isolates a listener that throws and reports its error as the page's. */
export function createEmitter(): Emitter {
  /** Each says whether it is still there after an `off`. */
  let listeners: ((name: string, listener?: Listener) => boolean)[] = [];
  let ready: CustomEvent | undefined;

  return {
    on(name, listener) {
      const type = `earshot:${name}`;
      const hear = (event: Event) => listener(event as CustomEvent) === false && event.preventDefault();
      addEventListener(type, hear);
      listeners.push((off, which = listener) => {
        const stays = off !== name || which !== listener;
        if (!stays) removeEventListener(type, hear);
        return stays;
      });
      if (name === "ready" && ready) hear(ready);
    },
    off(...which) {
      listeners = listeners.filter((stays) => stays(...which));
    },
    emit(name, detail) {
      const event = new CustomEvent(`earshot:${name}`, { detail, cancelable: name === "open" || name === "submit" });
      ready ||= event;
      return dispatchEvent(event);
    },
  };
}
