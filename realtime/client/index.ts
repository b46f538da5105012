export { openFeed, type Batch, type Feed, type FeedOptions, type FeedState } from "./feed";
export type { Host, SocketHost } from "./host";
export { fullJitter } from "./jitter";
export { openLink, type Detour, type DetourOptions, type LinkOptions, type LinkState } from "./link";
export { step, type Position, type Step } from "./position";
export { openSocket, type Carrier, type SocketOptions, type SocketState } from "./socket";
export { onWake } from "./wake";
