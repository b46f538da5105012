export { fullJitter } from "./jitter";
export { openSocket, type Socket, type SocketOptions, type SocketState } from "./socket";

interface Event<T extends string, D> {
  type: T;
  id?: string;
  re?: string;
  epoch?: string;
  seq?: number;
  data: D;
}

export type VisitorClientEvent =
  | Event<"Hello", { resume_token?: string; client?: string }>
  | Event<"DraftChanged", { text: string; shared?: boolean; page_url?: string }>
  | Event<
      "FeedbackSubmitted",
      {
        page_url: string;
        message: string;
        kind?: string;
        rating?: number;
        email?: string;
        name?: string;
        context?: Record<string, unknown>;
      }
    >
  | Event<"Ping", Record<string, never>>;

export type VisitorServerEvent =
  | Event<"Connected", { session_id: string; resume_token: string; epoch: string; heartbeat_ms: number }>
  | Event<"DraftAccepted", { kind?: string; hints?: { code: string; message: string }[] }>
  | Event<"FeedbackReceived", { id: string; receipt_url?: string }>
  | Event<"Error", { code: string; message: string; retry_after_ms?: number }>
  | Event<"GoingAway", { retry_after_ms: number }>
  | Event<"Pong", Record<string, never>>;

/**
 * Ends a switch over events: an event that the switch does not handle is a compile-time error. At run time it returns,
 * because a newer server may send types that this build does not know, and those are to be ignored.
 */
export function assertNever(_event: never): void {}
