/** Two soft notes, made by the browser: there is no file to load, and the page's policy allows none. */
const notes = [
  { hertz: 659.26, at: 0 },
  { hertz: 880, at: 0.12 },
] as const;
const loudness = 0.12;
const seconds = 0.45;
/** At most one sound in this time, however much comes in. */
const pauseMs = 1500;

/** Makes sounds. A browser lets it after the person's first act on the page, and `ready` tells of that. */
export function createChime(now: () => number) {
  let context: AudioContext | undefined;
  let last = -Infinity;
  return {
    /** To be called in the handler of a gesture. */
    async ready(): Promise<void> {
      context ??= new AudioContext();
      if (context.state === "suspended") await context.resume();
    },
    /** True where it was heard: not too soon after the last one, and after a gesture. */
    play(): boolean {
      if (context?.state !== "running" || now() - last < pauseMs) return false;
      last = now();
      for (const { hertz, at } of notes) ring(context, hertz, context.currentTime + at);
      return true;
    },
    close: (): void => void context?.close(),
  };
}

export type Chime = ReturnType<typeof createChime>;

function ring(context: AudioContext, hertz: number, at: number): void {
  const tone = context.createOscillator();
  const volume = context.createGain();
  tone.frequency.value = hertz;
  volume.gain.setValueAtTime(0, at);
  volume.gain.linearRampToValueAtTime(loudness, at + 0.01);
  // Never to zero: an exponential cannot reach it.
  volume.gain.exponentialRampToValueAtTime(0.0001, at + seconds);
  tone.connect(volume).connect(context.destination);
  tone.start(at);
  tone.stop(at + seconds);
}
