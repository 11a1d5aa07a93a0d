/** The details of the selected system or fleet: owner, inbound fleets, latest events and order forms. */

import { byId, createElement, createFactionLabel } from "../ui/dom.js";
import { formatDuration, formatNumber } from "../ui/format.js";
import { cssColour } from "../ui/theme.js";

/** @typedef {import("../map/selection-layer.js").Selection} Selection */
/** @typedef {import("../time/playback.js").Playback} Playback */
/** @typedef {import("../ui/theme.js").Theme} Theme */
/** @typedef {import("../world/world.js").World} World */
/** @typedef {import("./event-log.js").EventLog} EventLog */

const MAX_EVENTS = 6;
const MAX_FLEETS = 6;

export class DetailsPanel {
  /**
   * @param {Playback} playback
   * @param {Theme} theme
   * @param {EventLog} eventLog
   * @param {(selection: Selection | null) => void} select
   * @param {(world: World, system: number) => HTMLElement | null} actions creates the order forms of a system
   */
  constructor(playback, theme, eventLog, select, actions) {
    this.playback = playback;
    this.theme = theme;
    this.eventLog = eventLog;
    this.select = select;
    this.actions = actions;
    this.element = byId("details");
    this.facts = createElement("div", { class: "facts" });
    this.actionArea = createElement("div", { class: "doing" });
    this.element.append(createElement("button", { class: "close", "aria-label": "Close", click: () => select(null) }, "✕"), this.facts, this.actionArea);
    this.factsKey = "";
    this.actionsKey = "";
    this.selectionKey = "";
  }

  /** @param {Selection | null} selection */
  show(selection) {
    const { world } = this.playback;
    this.element.hidden = !selection || !world;
    if (!selection || !world) {
      this.factsKey = this.actionsKey = "";
      return;
    }
    const factsKey = `${selection.kind} ${selection.id} ${world.map.id} ${world.tick} ${this.eventLog.events.length}`;
    if (factsKey === this.factsKey) return;
    this.factsKey = factsKey;
    const selectionKey = `${selection.kind} ${selection.id} ${world.map.id}`;
    // A link that has the keyboard focus is not replaced.
    if (selectionKey !== this.selectionKey || !this.facts.contains(document.activeElement)) {
      this.facts.replaceChildren(...(selection.kind === "system" ? this.#describeSystem(world, selection.id) : this.#describeFleet(world, selection.id)));
    }
    this.selectionKey = selectionKey;
    this.#showActions(world, selection);
  }

  /** @param {World} world @param {Selection} selection */
  #showActions(world, selection) {
    const system = selection.kind === "system" ? selection.id : -1;
    const actionsKey = `${system} ${system < 0 ? "" : world.owner[system]} ${world.map.id} ${this.playback.isLive}`;
    if (actionsKey === this.actionsKey) return;
    this.actionsKey = actionsKey;
    const actions = system < 0 ? null : this.actions(world, system);
    this.actionArea.replaceChildren(...(actions ? [actions] : []));
  }

  /** Create the facts and order forms again, because other orders may be valid now. */
  refresh() {
    this.actionsKey = this.factsKey = "";
  }

  /** @param {World} world @param {number} faction its row */
  #createOwner(world, faction) {
    if (faction < 0) return createElement("span", { class: "muted" }, "no owner");
    return createFactionLabel(world.factions[faction], cssColour(this.theme.factionColours(world.colours)[faction]));
  }

  /** @param {World} world @param {number} system */
  #createSystemLink(world, system) {
    return createElement("button", { class: "where", click: () => this.select({ kind: "system", id: system }) }, world.map.names[system]);
  }

  /** @param {World} world @param {number} system */
  #describeSystem(world, system) {
    const { map, fleets } = world;
    const { origin, target, owner, ships, arrives } = fleets.columns;
    const inbound = [];
    for (let row = 0; row < fleets.rows; row++) if (target.values[row] === system) inbound.push(row);
    inbound.sort((a, b) => arrives.values[a] - arrives.values[b]);
    const neighbours = map.neighbours(system);
    return [
      createElement("h2", {}, map.names[system], createElement("small", {}, ` S${system}${map.homes.includes(system) ? " · home" : ""}`)),
      createFactList([
        ["Owner", this.#createOwner(world, world.owner[system])],
        ["Garrison", `${formatNumber(world.ships[system])} ships`],
        ["Growth", `${map.growth[system]} ships a tick`],
        ["Yield", `${map.supplyYield[system]} supply a tick`],
        ["Lanes", createElement("span", {}, ...neighbours.flatMap(({ to, length }, index) => [index ? ", " : "", this.#createSystemLink(world, to), ` ${length}`]))],
      ]),
      ...createListSection("Inbound fleets", inbound.slice(0, MAX_FLEETS).map((row) => createElement("li", {}, this.#createOwner(world, owner.values[row]), ` ${formatNumber(ships.values[row])} from `, this.#createSystemLink(world, origin.values[row]), `, in ${this.#formatTicksUntil(world, arrives.values[row])}`)), inbound.length),
      ...createListSection("Latest events", this.eventLog.itemsOfSystem(`S${system}`, MAX_EVENTS)),
    ];
  }

  /** @param {World} world @param {number} id */
  #describeFleet(world, id) {
    const { origin, target, owner, ships, departed, arrives, id: ids } = world.fleets.columns;
    const row = ids.values.indexOf(id);
    if (row < 0) return [createElement("h2", {}, `Fleet F${id}`), createElement("p", {}, "It has arrived.")];
    const percent = Math.round(((world.tick - departed.values[row]) / (arrives.values[row] - departed.values[row])) * 100);
    return [
      createElement("h2", {}, "Fleet", createElement("small", {}, ` F${id}`)),
      createFactList([
        ["Owner", this.#createOwner(world, owner.values[row])],
        ["Strength", `${formatNumber(ships.values[row])} ships`],
        ["From", this.#createSystemLink(world, origin.values[row])],
        ["To", this.#createSystemLink(world, target.values[row])],
        ["Departed", `tick ${departed.values[row]}`],
        ["Arrives", `tick ${arrives.values[row]}, in ${this.#formatTicksUntil(world, arrives.values[row])}; ${percent} % of its way`],
      ]),
    ];
  }

  /** @param {World} world @param {number} tick */
  #formatTicksUntil(world, tick) {
    const ticks = tick - world.tick;
    return `${ticks} tick${ticks === 1 ? "" : "s"} (${formatDuration(ticks, this.playback.tickPeriodMs)})`;
  }
}

/** @param {[string, Node | string][]} pairs */
function createFactList(pairs) {
  return createElement("dl", {}, ...pairs.flatMap(([name, value]) => [createElement("dt", {}, name), createElement("dd", {}, value)]));
}

/** @param {string} title @param {HTMLElement[]} items @param {number} [total] */
function createListSection(title, items, total = items.length) {
  if (!items.length) return [];
  return [createElement("h3", {}, total > items.length ? `${title} (${total})` : title), createElement("ul", {}, ...items)];
}
