/** A hidden tab has no frames; it still has to draw now and then, or its work would pile up. */
const hiddenMs = 200;

/**
 * Draws at most once a frame, however many events came in: a burst of a hundred arrivals is one change of the list and
 * not a hundred.
 */
export function onceAFrame(draw: () => void): void {
  let drawn = false;
  const once = (): void => {
    if (drawn) return;
    drawn = true;
    cancelAnimationFrame(frame);
    clearTimeout(timer);
    draw();
  };
  const frame = requestAnimationFrame(once);
  const timer = setTimeout(once, hiddenMs);
}
