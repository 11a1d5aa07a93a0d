/** Names for the types of the API. `schema.ts` is generated from its OpenAPI document. */

import type { components } from "./schema.js";

type Schemas = components["schemas"];

/** The state of a sim at one tick, as rows. */
export type Snapshot = Schemas["Snapshot"];
export type Faction = Schemas["Faction"];
export type System = Schemas["System"];
export type Fleet = Schemas["Fleet"];
export type Lane = Schemas["Lane"];

/** Any order. `type` is the discriminator. */
export type Order = Schemas["Order"];
/** The status of an order: pending, applied or rejected. */
export type OrderStatus = Schemas["OrderStatus"];
export type RejectReason = Schemas["RejectReason"];

/** Any event. `type` is the discriminator. */
export type Event = Schemas["EventPage"]["events"][number];
export type EventType = Event["type"];
/** A page of events. `next` is the `after` of the next page; `more` says whether that page has events already. */
export type EventPage = Schemas["EventPage"];

export type SimConfig = Schemas["SimConfig"];
export type SimPage = Schemas["SimPage"];
export type SimDetails = Schemas["SimDetails"];
/** A sim that a worker will create. */
export type RequestedSim = Schemas["RequestedSim"];

/** An error as the API describes it (RFC 9457). */
export type Problem = Schemas["Problem"];

/** Events between the event `after` and the tick `firstTick` are no longer stored. Read a snapshot to continue. */
export interface Gap {
  readonly type: "gap";
  readonly after: string;
  readonly firstTick: number;
}
