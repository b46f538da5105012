/**
 * Full jitter: a uniformly random wait below an exponentially growing ceiling, in milliseconds. Clients that lost the
 * same server then come back spread out instead of in waves ("Exponential Backoff And Jitter", AWS Architecture Blog).
 * `attempt` counts from 0.
 */
export function fullJitter(attempt: number, base: number, cap: number): number {
  return Math.random() * Math.min(cap, base * 2 ** attempt);
}
