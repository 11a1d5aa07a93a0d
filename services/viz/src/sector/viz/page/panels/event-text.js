/** The texts of events, and the kinds of events to filter by. */

import { formatNumber } from "../ui/format.js";

/** @typedef {import("../codec/event-rows.js").WorldEvent} WorldEvent */
/** @typedef {{faction: string}} FactionRef */
/** @typedef {{system: string}} SystemRef */
/** @typedef {(string | FactionRef | SystemRef)[]} EventText */

/** The kinds of events to filter by: the title of each, and whether it is shown by default. */
export const EVENT_KINDS = {
  battles: { title: "Battles", isDefault: true, types: ["battle"] },
  systems: { title: "Systems", isDefault: true, types: ["system_captured", "system_claimed"] },
  factions: { title: "Factions", isDefault: true, types: ["faction_joined", "faction_eliminated", "sim_finished"] },
  notes: { title: "Notes", isDefault: true, types: ["note"] },
  fleets: { title: "Fleets", isDefault: false, types: ["fleet_departed", "fleet_arrived", "ships_mustered"] },
  refusals: { title: "Refusals", isDefault: false, types: ["order_rejected"] },
};

/** @typedef {keyof typeof EVENT_KINDS} Kind */

/** @type {Record<string, Kind>} */
export const KIND_BY_TYPE = Object.fromEntries(
  Object.entries(EVENT_KINDS).flatMap(([kind, { types }]) => types.map((type) => [type, /** @type {Kind} */ (kind)])),
);

/** @param {string | null} faction @returns {string | FactionRef} */
function describeFaction(faction) {
  return faction === null ? "no faction" : { faction };
}

/** @param {{faction: string | null, ships: number}[]} forces @returns {EventText} */
function describeForces(forces) {
  return forces.flatMap(({ faction, ships }, index) => [...(index ? [" against "] : []), faction === null ? "natives" : { faction }, ` ${formatNumber(ships)}`]);
}

/** @type {Record<string, (event: WorldEvent) => EventText>} */
const TEXTS = {
  battle: (e) => [...describeForces(e.forces), " at ", { system: e.system }, ...(e.winner ? [": ", { faction: e.winner }, ` keeps ${formatNumber(e.ships)}`] : [`: ${formatNumber(e.ships)} left`])],
  system_captured: (e) => [{ faction: e.faction }, " takes ", { system: e.system }, ...(e.loser ? [" from ", { faction: e.loser }] : [])],
  system_claimed: (e) => (e.faction ? [{ faction: e.faction }, " claims ", { system: e.system }] : [{ system: e.system }, " is free"]),
  faction_joined: (e) => [{ faction: e.faction }, " enters at ", { system: e.system }],
  faction_eliminated: (e) => [{ faction: e.faction }, " is out"],
  sim_finished: (e) => (e.winner ? [{ faction: e.winner }, " wins"] : ["A draw"]),
  note: (e) => [{ faction: e.faction }, `: ${e.text}`, ...(e.system ? [" — at ", { system: e.system }] : [])],
  fleet_departed: (e) => [{ faction: e.faction }, ` sends ${formatNumber(e.ships)} from `, { system: e.system }, " to ", { system: e.target }],
  fleet_arrived: (e) => [{ faction: e.faction }, `: ${formatNumber(e.ships)} arrive at `, { system: e.system }],
  ships_mustered: (e) => [{ faction: e.faction }, ` musters ${formatNumber(e.ships)} at `, { system: e.system }],
  order_rejected: (e) => [describeFaction(e.faction), `: refused, ${e.detail || e.reason.replaceAll("_", " ")}`],
};

/** @param {WorldEvent} event @returns {EventText | null} */
export function describeEvent(event) {
  return TEXTS[event.type]?.(event) ?? null;
}

/** @param {WorldEvent} event @param {string} faction */
export function involvesFaction(event, faction) {
  if (event.faction === faction || event.winner === faction || event.loser === faction) return true;
  return Boolean(event.forces?.some((/** @type {{faction: string | null}} */ force) => force.faction === faction));
}
