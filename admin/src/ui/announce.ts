/** Tells a screen reader what a sighted person sees change. One polite region for all: two would talk over each other. */
export function announce(text: string): void {
  const region = document.getElementById("announcer");
  if (region) region.textContent = text;
}
