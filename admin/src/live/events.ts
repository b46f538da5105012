import type { components } from "../../../realtime/protocol/ts/schema.gen";

type Schemas = components["schemas"];

/** Both directions of the dashboard's socket, generated from the server's own types. */
export type ServerEvent = Schemas["DashboardServerEvent"];
export type ClientEvent = Schemas["DashboardClientEvent"];
