/** What a connection needs of its surroundings. A browser's `window` is one; tests bring a clock and sockets of their own. */
export interface Host {
  setTimeout(work: () => void, ms: number): ReturnType<typeof setTimeout>;
  clearTimeout(timer: ReturnType<typeof setTimeout> | undefined): void;
  Date: { now(): number };
}

export interface SocketHost extends Host {
  WebSocket: new (url: string, protocol: string) => WebSocket;
}
