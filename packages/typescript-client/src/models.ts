/** The types of the API by name. They come from its OpenAPI document: `schema.ts` is generated. */

import type { components } from "./schema.js";

type Schemas = components["schemas"];

/** The state of a sim at one tick, as rows. */
export type Snapshot = Schemas["Snapshot"];
export type Faction = Schemas["Faction"];
export type System = Schemas["System"];
export type Fleet = Schemas["Fleet"];
export type Lane = Schemas["Lane"];

/** Any order; `type` says which one. */
export type Order = Schemas["Order"];
/** The result of an order so far: pending, applied or rejected. */
export type OrderStatus = Schemas["OrderStatus"];
export type RejectReason = Schemas["RejectReason"];

/** Any event; `type` says which one. */
export type Event = Schemas["EventPage"]["events"][number];
export type EventType = Event["type"];
/** A page of events. `next` is the `after` of the next page; with `more` there is one already. */
export type EventPage = Schemas["EventPage"];

export type SimConfig = Schemas["SimConfig"];
export type SimPage = Schemas["SimPage"];
export type SimDetails = Schemas["SimDetails"];
/** A sim that was requested, and that a worker creates soon. */
export type RequestedSim = Schemas["RequestedSim"];

/** An error as the API describes it (RFC 9457). */
export type Problem = Schemas["Problem"];

/** The server no longer has the events between event `after` and tick `firstTick`: read a snapshot. */
export interface Gap {
  readonly type: "gap";
  readonly after: string;
  readonly firstTick: number;
}
