/** Both directions of the dashboard's socket, generated from the server's own types. */
export type { DashboardClientEvent as ClientEvent, DashboardServerEvent as ServerEvent } from "../../../realtime/protocol/ts";
