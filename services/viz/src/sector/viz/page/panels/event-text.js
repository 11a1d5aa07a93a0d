/** Sentences: what events say, and of which kind they are. */

import { whole } from "../ui/format.js";

/** @typedef {import("../codec/event-rows.js").WorldEvent} WorldEvent */
/** @typedef {{faction: string}} Who */
/** @typedef {{system: string}} Where */
/** @typedef {(string | Who | Where)[]} Sentence */

/** The kinds that can be filtered by: what each is called, and whether it is shown from the beginning. */
export const KINDS = {
  battles: { title: "Battles", shown: true, types: ["battle"] },
  systems: { title: "Systems", shown: true, types: ["system_captured", "system_claimed"] },
  factions: { title: "Factions", shown: true, types: ["faction_joined", "faction_eliminated", "sim_finished"] },
  notes: { title: "Notes", shown: true, types: ["note"] },
  fleets: { title: "Fleets", shown: false, types: ["fleet_departed", "fleet_arrived", "ships_mustered"] },
  refusals: { title: "Refusals", shown: false, types: ["order_rejected"] },
};

/** @typedef {keyof typeof KINDS} Kind */

/** @type {Record<string, Kind>} */
export const KIND_OF = Object.fromEntries(
  Object.entries(KINDS).flatMap(([kind, { types }]) => types.map((type) => [type, /** @type {Kind} */ (kind)])),
);

/** @param {string | null} faction @returns {string | Who} */
function who(faction) {
  return faction === null ? "nobody" : { faction };
}

/** @param {{faction: string | null, ships: number}[]} forces @returns {Sentence} */
function against(forces) {
  return forces.flatMap(({ faction, ships }, at) => [...(at ? [" against "] : []), faction === null ? "natives" : { faction }, ` ${whole(ships)}`]);
}

/** @type {Record<string, (event: WorldEvent) => Sentence>} */
const SENTENCES = {
  battle: (e) => [...against(e.forces), " at ", { system: e.system }, ...(e.winner ? [": ", { faction: e.winner }, ` keeps ${whole(e.ships)}`] : [`: ${whole(e.ships)} left`])],
  system_captured: (e) => [{ faction: e.faction }, " takes ", { system: e.system }, ...(e.loser ? [" from ", { faction: e.loser }] : [])],
  system_claimed: (e) => (e.faction ? [{ faction: e.faction }, " claims ", { system: e.system }] : [{ system: e.system }, " is free"]),
  faction_joined: (e) => [{ faction: e.faction }, " enters at ", { system: e.system }],
  faction_eliminated: (e) => [{ faction: e.faction }, " is out"],
  sim_finished: (e) => (e.winner ? [{ faction: e.winner }, " wins"] : ["A draw"]),
  note: (e) => [{ faction: e.faction }, `: ${e.text}`, ...(e.system ? [" — at ", { system: e.system }] : [])],
  fleet_departed: (e) => [{ faction: e.faction }, ` sends ${whole(e.ships)} from `, { system: e.system }, " to ", { system: e.target }],
  fleet_arrived: (e) => [{ faction: e.faction }, `: ${whole(e.ships)} arrive at `, { system: e.system }],
  ships_mustered: (e) => [{ faction: e.faction }, ` musters ${whole(e.ships)} at `, { system: e.system }],
  order_rejected: (e) => [who(e.faction), `: refused, ${e.detail || e.reason.replaceAll("_", " ")}`],
};

/** @param {WorldEvent} event @returns {Sentence | null} */
export function sentence(event) {
  return SENTENCES[event.type]?.(event) ?? null;
}

/** @param {WorldEvent} event @param {string} faction */
export function concerns(event, faction) {
  if (event.faction === faction || event.winner === faction || event.loser === faction) return true;
  return Boolean(event.forces?.some((/** @type {{faction: string | null}} */ force) => force.faction === faction));
}
