/** The panel: factions with what they have, and what happened. */

import { short } from "./map.js";

const EVENTS_KEPT = 60;

/** @type {Record<string, (event: Record<string, any>, name: (id: string) => string) => (string | {who: string})[]>} */
const SENTENCES = {
  faction_joined: (e, name) => [{ who: e.faction }, ` enters at ${name(e.system)}`],
  system_claimed: (e, name) => (e.faction ? [{ who: e.faction }, ` claims ${name(e.system)}`] : [`${name(e.system)} is free`]),
  system_captured: (e, name) => [{ who: e.faction }, ` takes ${name(e.system)}`, ...(e.loser ? [" from ", { who: e.loser }] : [])],
  note: (e) => [{ who: e.faction }, `: ${e.text}`],
  faction_eliminated: (e) => [{ who: e.faction }, " is out"],
  sim_finished: (e) => (e.winner ? [{ who: e.winner }, " wins"] : ["A draw"]),
};

/** @param {import("./world.js").World} world */
export function showFactions(world) {
  /** @type {Map<string, {systems: number, ships: number}>} */
  const totals = new Map([...world.factions.keys()].map((id) => [id, { systems: 0, ships: 0 }]));
  for (const system of world.systems.values()) {
    const total = system.owner !== null && totals.get(system.owner);
    if (total) {
      total.systems += 1;
      total.ships += system.ships;
    }
  }
  for (const fleet of world.fleets.values()) {
    const total = totals.get(fleet.owner);
    if (total) total.ships += fleet.ships;
  }
  const rows = [...world.factions.values()].map((faction) => {
    const row = document.createElement("tr");
    row.className = faction.alive ? "" : "out";
    row.style.setProperty("--colour", faction.colour);
    const total = totals.get(faction.id) ?? { systems: 0, ships: 0 };
    for (const text of [faction.id, total.systems, short(total.ships), short(faction.supply)]) {
      row.append(Object.assign(document.createElement("td"), { textContent: String(text) }));
    }
    return row;
  });
  document.getElementById("factions")?.replaceChildren(...rows);
}

/**
 * @param {import("./world.js").World} world
 * @param {import("./world.js").WorldEvent[]} events
 */
export function showEvents(world, events) {
  const list = document.getElementById("events");
  if (!list) return;
  /** @param {string} id */
  const name = (id) => world.systems.get(id)?.name ?? id;
  for (const event of events) {
    const parts = SENTENCES[event.type]?.(event, name);
    if (!parts) continue;
    const item = document.createElement("li");
    item.append(Object.assign(document.createElement("time"), { textContent: String(event.tick) }));
    for (const part of parts) {
      item.append(typeof part === "string" ? part : Object.assign(document.createElement("b"), { textContent: part.who }));
    }
    list.prepend(item);
  }
  while (list.children.length > EVENTS_KEPT) list.lastElementChild?.remove();
}
