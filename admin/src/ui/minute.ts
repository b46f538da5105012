import { signal } from "@preact/signals";

const minute = signal(Date.now());
setInterval(() => (minute.value = Date.now()), 30_000);

/** The time of now, current to half a minute: one clock for all ages on the screen. */
export function useMinute(): number {
  return minute.value;
}
