/** A token and when it ends, by this device's clock. */
export interface Access {
  token: string;
  expires: number;
}

export interface RenewalDeps {
  /** Null when nobody is signed in. */
  access(): Access | null;
  /** A fresh access token; null when the session is over. */
  refresh(): Promise<string | null>;
  now(): number;
}

/** Before the server's own reminder, a minute before the end, which a sleeping tab may miss. */
const earlyMs = 90_000;
/** After a failure, while there is still time. */
const retryMs = 15_000;

/** Keeps a connection that outlives its token: hands it a fresh one in time. */
export interface Renewal {
  /** A connection is there, made with the present token. */
  start(): void;
  /** The server asks for a fresh token now. */
  renew(): Promise<void>;
  stop(): void;
}

export function createRenewal({ access, refresh, now }: RenewalDeps, hand: (token: string) => void): Renewal {
  let timer: ReturnType<typeof setTimeout> | undefined;
  /** Raised by stop(): a refresh that was asked for before is for a connection that is no more. */
  let stops = 0;
  const left = (): number => (access()?.expires ?? 0) - now();

  function start(): void {
    clearTimeout(timer);
    // Nobody is signed in, or there is nothing left to be in time for: the next connection brings its own token.
    if (left() > 0) timer = setTimeout(due, Math.max(left() - earlyMs, retryMs));
  }

  function due(): void {
    const present = access();
    // Refreshed meanwhile for some other call: the connection is to have that one.
    if (!present || left() <= earlyMs) return void renew();
    hand(present.token);
    start();
  }

  async function renew(): Promise<void> {
    const begun = stops;
    // Unreachable: the server closes with 4004 in the end, and the next ticket is asked for with a fresh token.
    const token = await refresh().catch(() => null);
    if (stops !== begun) return;
    if (token) hand(token);
    start();
  }

  function stop(): void {
    stops++;
    clearTimeout(timer);
  }

  return { start, renew, stop };
}
