import type { DashboardServerEvent } from "../../../realtime/protocol/ts";

/** Both directions of the dashboard's socket, generated from the server's own types. */
export type { DashboardClientEvent as ClientEvent, DashboardServerEvent as ServerEvent } from "../../../realtime/protocol/ts";

/** What one kind of event carries. */
export type EventData<T extends E["type"], E extends { type: string; data?: unknown } = DashboardServerEvent> = Extract<E, { type: T }>["data"];

/** What the log tells of conversations. */
export type ConversationEvent = Extract<DashboardServerEvent, { type: "MessagePosted" | "NoteAdded" | "NoteEdited" | "NoteDeleted" }>;
