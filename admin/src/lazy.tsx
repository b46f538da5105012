import { signal } from "@preact/signals";
import type { ComponentType, VNode } from "preact";
import { t } from "./text/en";
import { Empty } from "./ui/notices";

/**
 * A page whose code is fetched when it is first shown (or hinted at with `preload`). A failed fetch, as after a
 * deployment that replaced the chunk, offers a reload: the page itself is never cached and names the new one.
 */
export function lazy<P extends object>(load: () => Promise<ComponentType<P>>) {
  const loaded = signal<ComponentType<P> | "failed" | null>(null);
  let started: Promise<void> | undefined;
  const preload = (): void => {
    started ??= load().then(
      (component) => void (loaded.value = component),
      () => {
        // The next drawing tries again: a network that was away is often back by then.
        started = undefined;
        loaded.value = "failed";
      },
    );
  };
  function Lazy(props: P): VNode | null {
    preload();
    const Page = loaded.value;
    if (Page === "failed") {
      return (
        <Empty alone icon="alert" title={t.common.unexpected}>
          <button type="button" class="button primary" onClick={() => location.reload()}>{t.common.retry}</button>
        </Empty>
      );
    }
    return Page ? <Page {...props} /> : null;
  }
  return { Page: Lazy, preload };
}
