/**
 * Full jitter: a uniformly random wait below an exponentially growing ceiling, in milliseconds. Clients that lost the
 * same server then come back spread out instead of in waves ("Exponential Backoff And Jitter", AWS Architecture Blog).
 * `attempt` counts from 0.
 */
export function fullJitter(attempt: number, base: number, cap: number): number {
  return Math.random() * Math.min(cap, base * 2 ** attempt);
}

const BACKOFF_BASE_MS = 500;
const BACKOFF_CAP_MS = 30_000;

/** The wait before a connection is tried again, the same for every way to the server. */
export const backoff = (attempt: number): number => fullJitter(attempt, BACKOFF_BASE_MS, BACKOFF_CAP_MS);
