import type { components } from "./schema.gen";

export type { components };

export type VisitorClientEvent = components["schemas"]["VisitorClientEvent"];
export type VisitorServerEvent = components["schemas"]["VisitorServerEvent"];
export type DashboardClientEvent = components["schemas"]["DashboardClientEvent"];
export type DashboardServerEvent = components["schemas"]["DashboardServerEvent"];

/**
 * Ends a switch over events: an event that the switch does not handle is a compile-time error. At run time it returns,
 * because a newer server may send types that this build does not know, and those are to be ignored.
 */
export function assertNever(_event: never): void {}
