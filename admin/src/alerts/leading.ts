/**
 * Whether this tab is the one of all tabs that acts for them. The tab that holds the lock leads; when it is closed the
 * next one does. Without locks (an insecure address) every tab leads: told twice is better than not at all.
 */
export function lead(name: string): { readonly value: boolean } {
  const leading = { value: false };
  if (!navigator.locks) {
    leading.value = true;
    return leading;
  }
  void navigator.locks.request(name, () => {
    leading.value = true;
    return new Promise<never>(() => undefined); // until the tab is closed
  });
  return leading;
}

const focusLock = "earshot-focused";

/** While this window has the focus it says so to the others, by a lock that they can look up. */
export function tellFocus(): void {
  let release: (() => void) | undefined;
  const look = (): void => {
    const focused = document.hasFocus();
    if (focused && !release) {
      const held = new Promise<void>((done) => (release = done));
      void navigator.locks?.request(focusLock, { mode: "shared" }, () => held);
    }
    if (!focused) {
      release?.();
      release = undefined;
    }
  };
  for (const name of ["focus", "blur"]) addEventListener(name, look);
  look();
}

/** Whether somebody looks at a window of the dashboard on this device. */
export async function focusedAnywhere(): Promise<boolean> {
  if (document.hasFocus()) return true;
  const { held } = (await navigator.locks?.query()) ?? {};
  return held?.some(({ name }) => name === focusLock) ?? false;
}
