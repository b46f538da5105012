/** Events of the public API, with what their listeners find in `detail`. */
export interface Details {
  ready: { version: string };
  open: { kind?: string };
  submit: { message: string; kind?: string; rating?: number; email?: string };
  sent: { id: string };
  /** More replies are unread than were known of on this page. */
  reply: { unread: number };
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
  let listeners: [string, Listener, (event: Event) => void][] = [];
  let ready: CustomEvent | undefined;

  return {
    on(name, listener) {
      const hear = (event: Event) => listener(event as CustomEvent) === false && event.preventDefault();
      addEventListener(`earshot:${name}`, hear);
      listeners.push([name, listener, hear]);
      if (name === "ready" && ready) hear(ready);
    },
    off(name, which) {
      listeners = listeners.filter(
        ([of, listener, hear]) => of !== name || (which && which !== listener) || removeEventListener(`earshot:${name}`, hear),
      );
    },
    emit(name, detail) {
      const event = new CustomEvent(`earshot:${name}`, { detail, cancelable: name === "open" || name === "submit" });
      ready ||= event;
      return dispatchEvent(event);
    },
  };
}
