/** Compiled by `npm run check`, and never run: what the types allow, and what they refuse. */

import { Client } from "../src/index.js";
import type { Event, EventType, Gap, Order, RejectReason, SimConfig, Snapshot } from "../src/index.js";

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
const proof = <T extends true>(value?: T): T | undefined => value;

const client = new Client("http://127.0.0.1:8000", { token: "t", sim: "default" });

proof<Equal<Awaited<ReturnType<Client["snapshot"]>>, Snapshot>>();
proof<Equal<Snapshot["systems"][number]["owner"], string | null>>();
proof<Equal<Snapshot["status"], "running" | "finished">>();

export const orders: Order[] = [
  { type: "join", faction: "Me" },
  { type: "move_fleet", faction: "Me", system: "S0", target: "S1", ships: 3 },
  { type: "note", faction: "Me", text: "no system" },
  // @ts-expect-error: an order of an unknown type
  { type: "fly", faction: "Me" },
  // @ts-expect-error: a move without its target
  { type: "move_fleet", faction: "Me", system: "S0", ships: 3 },
  // @ts-expect-error: a number is no system
  { type: "set_owner", faction: "Me", system: 3 },
];

export const config: SimConfig = { systems: 30, players: ["Me"], puppets: ["Azure", { faction: "Crimson", temperament: "raider" }] };
// @ts-expect-error: an unknown field
export const misspelled: SimConfig = { sytems: 30 };

// @ts-expect-error: an unknown type of event
client.follow({ types: ["explosion"] });
// @ts-expect-error: the id is missing
await client.createSim();

export function describe(event: Event | Gap): string {
  switch (event.type) {
    case "gap":
      proof<Equal<typeof event, Gap>>();
      return `events before tick ${event.firstTick} are missing`;
    case "battle":
      return `${event.forces.map(({ ships }) => ships).join(" against ")} at ${event.system}`;
    case "order_rejected":
      proof<Equal<typeof event.reason, RejectReason>>();
      return event.reason;
    default:
      proof<Equal<EventType | "gap", (Event | Gap)["type"]>>();
      return event.type;
  }
}
