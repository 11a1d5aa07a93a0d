/** The event log: the latest events, newest first, filtered by kind and faction. */

import { systemRow } from "../codec/event-rows.js";
import { byId, createElement, createFactionLabel } from "../ui/dom.js";
import { cssColour } from "../ui/theme.js";
import { involvesFaction, KIND_BY_TYPE, EVENT_KINDS, describeEvent } from "./event-text.js";

/** @typedef {import("../codec/event-rows.js").WorldEvent} WorldEvent */
/** @typedef {import("../ui/theme.js").Theme} Theme */
/** @typedef {import("../world/world.js").World} World */
/** @typedef {import("./event-text.js").Kind} Kind */

const MAX_EVENTS = 3_000;
const MAX_ITEMS = 120;

export class EventLog {
  /** @param {Theme} theme @param {{system: (row: number) => void, tick: (tick: number) => void}} handlers */
  constructor(theme, handlers) {
    this.theme = theme;
    this.handlers = handlers;
    this.list = byId("events");
    /** @type {WorldEvent[]} oldest first */
    this.events = [];
    this.kinds = new Set(Object.entries(EVENT_KINDS).filter(([, { isDefault }]) => isDefault).map(([kind]) => kind));
    this.faction = "";
    /** @type {World | null} */
    this.world = null;
    this.select = createElement("select", { "aria-label": "Faction of the events", change: () => this.setFaction(this.select.value) }, createElement("option", { value: "" }, "all"));
    this.#createFilters();
  }

  #createFilters() {
    const chips = Object.entries(EVENT_KINDS).map(([kind, { title, isDefault }]) => {
      const chip = createElement("button", { "aria-pressed": String(isDefault) }, title);
      chip.addEventListener("click", () => {
        const isShown = !this.kinds.delete(kind);
        if (isShown) this.kinds.add(kind);
        chip.setAttribute("aria-pressed", String(isShown));
        this.#render();
      });
      return chip;
    });
    byId("filters").append(...chips, this.select);
  }

  /** @param {string} faction "" for all factions */
  setFaction(faction) {
    this.faction = faction;
    this.select.value = this.faction;
    this.#render();
  }

  /** @param {string} faction to filter by, or to filter by no longer */
  toggleFaction(faction) {
    this.setFaction(this.faction === faction ? "" : faction);
  }

  clear() {
    this.events = [];
    this.list.replaceChildren();
  }

  /** @param {World} world @param {WorldEvent[]} events */
  add(world, events) {
    this.world = world;
    if (this.select.options.length !== world.factions.length + 1) {
      this.select.replaceChildren(createElement("option", { value: "" }, "all"), ...world.factions.map((id) => createElement("option", { value: id }, id)));
      this.select.value = this.faction;
    }
    this.events.push(...events);
    if (this.events.length > MAX_EVENTS) this.events.splice(0, this.events.length - MAX_EVENTS);
    const items = events.slice(-4 * MAX_ITEMS).filter((event) => this.#matches(event)).slice(-MAX_ITEMS).flatMap((event) => this.#createItem(event) ?? []);
    this.list.prepend(...items.reverse());
    while (this.list.children.length > MAX_ITEMS) this.list.lastElementChild?.remove();
  }

  /**
   * Add events of earlier ticks.
   * @param {World} world
   * @param {WorldEvent[]} events oldest first
   */
  addEarlier(world, events) {
    this.world = world;
    const [oldest] = this.events;
    this.events.unshift(...events.filter(({ tick }) => !oldest || tick < oldest.tick));
    this.#render();
  }

  #render() {
    const matching = this.events.filter((event) => this.#matches(event)).slice(-MAX_ITEMS);
    this.list.replaceChildren(...matching.reverse().flatMap((event) => this.#createItem(event) ?? []));
  }

  /** @param {WorldEvent} event */
  #matches(event) {
    return this.kinds.has(KIND_BY_TYPE[event.type]) && (!this.faction || involvesFaction(event, this.faction));
  }

  /**
   * Return the latest events of a system, newest first.
   * @param {string} system its id
   * @param {number} limit
   */
  itemsOfSystem(system, limit) {
    const events = this.events.filter((event) => event.system === system || event.target === system).slice(-limit);
    return events.reverse().flatMap((event) => this.#createItem(event) ?? []);
  }

  /** @param {WorldEvent} event */
  #createItem(event) {
    const parts = describeEvent(event);
    const { world } = this;
    if (!parts || !world) return null;
    const time = createElement("button", { class: "when", title: `To tick ${event.tick}`, click: () => this.handlers.tick(event.tick) }, String(event.tick));
    const item = createElement("li", { "data-type": event.type }, time);
    const colours = this.theme.factionColours(world.colours);
    for (const part of parts) {
      if (typeof part === "string") item.append(part);
      else if ("faction" in part) {
        const colour = colours[world.factions.indexOf(part.faction)];
        item.append(createFactionLabel(part.faction, colour ? cssColour(colour) : "transparent"));
      } else {
        const row = systemRow(part.system);
        item.append(createElement("button", { class: "where", click: () => this.handlers.system(row) }, world.map.names[row] ?? part.system));
      }
    }
    return item;
  }
}
