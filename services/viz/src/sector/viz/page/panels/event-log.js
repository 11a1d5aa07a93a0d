/** The feed: what happened, newest first, of the kinds and the faction that are wanted. */

import { byId, make, named } from "../ui/dom.js";
import { systemRow } from "../codec/event-rows.js";
import { concerns, KIND_OF, KINDS, sentence } from "./event-text.js";
import { css } from "../ui/theme.js";

/** @typedef {import("../codec/event-rows.js").WorldEvent} WorldEvent */
/** @typedef {import("./event-text.js").Kind} Kind */
/** @typedef {import("../ui/theme.js").Theme} Theme */
/** @typedef {import("../world/world.js").World} World */

const KEPT = 3_000;
const SHOWN = 120;

export class Feed {
  /** @param {Theme} theme @param {{system: (row: number) => void, tick: (tick: number) => void}} picked */
  constructor(theme, picked) {
    this.theme = theme;
    this.picked = picked;
    this.list = byId("events");
    /** @type {WorldEvent[]} oldest first */
    this.kept = [];
    this.kinds = new Set(Object.entries(KINDS).filter(([, { shown }]) => shown).map(([kind]) => kind));
    this.faction = "";
    /** @type {World | null} */
    this.world = null;
    this.select = make("select", { "aria-label": "Whose events are shown", change: () => this.setFaction(this.select.value) }, make("option", { value: "" }, "all"));
    this.#filters();
  }

  #filters() {
    const chips = Object.entries(KINDS).map(([kind, { title, shown }]) => {
      const chip = make("button", { "aria-pressed": String(shown) }, title);
      chip.addEventListener("click", () => {
        const on = !this.kinds.delete(kind);
        if (on) this.kinds.add(kind);
        chip.setAttribute("aria-pressed", String(on));
        this.#refill();
      });
      return chip;
    });
    byId("filters").append(...chips, this.select);
  }

  /** @param {string} faction "" for all */
  setFaction(faction) {
    this.faction = faction;
    this.select.value = this.faction;
    this.#refill();
  }

  /** @param {string} faction shown alone, or no longer alone */
  toggleFaction(faction) {
    this.setFaction(this.faction === faction ? "" : faction);
  }

  clear() {
    this.kept = [];
    this.list.replaceChildren();
  }

  /** @param {World} world @param {WorldEvent[]} events */
  notice(world, events) {
    this.world = world;
    if (this.select.options.length !== world.factions.length + 1) {
      this.select.replaceChildren(make("option", { value: "" }, "all"), ...world.factions.map((id) => make("option", { value: id }, id)));
      this.select.value = this.faction;
    }
    this.kept.push(...events);
    if (this.kept.length > KEPT) this.kept.splice(0, this.kept.length - KEPT);
    const items = events.slice(-4 * SHOWN).filter((event) => this.#isWanted(event)).slice(-SHOWN).flatMap((event) => this.#item(event) ?? []);
    this.list.prepend(...items.reverse());
    while (this.list.children.length > SHOWN) this.list.lastElementChild?.remove();
  }

  /**
   * Learn of what happened before all that is known.
   * @param {World} world
   * @param {WorldEvent[]} events oldest first
   */
  learn(world, events) {
    this.world = world;
    const [oldest] = this.kept;
    this.kept.unshift(...events.filter(({ tick }) => !oldest || tick < oldest.tick));
    this.#refill();
  }

  #refill() {
    const wanted = this.kept.filter((event) => this.#isWanted(event)).slice(-SHOWN);
    this.list.replaceChildren(...wanted.reverse().flatMap((event) => this.#item(event) ?? []));
  }

  /** @param {WorldEvent} event */
  #isWanted(event) {
    return this.kinds.has(KIND_OF[event.type]) && (!this.faction || concerns(event, this.faction));
  }

  /**
   * Return what is known to have happened at a system, newest first.
   * @param {string} system its id
   * @param {number} most
   */
  at(system, most) {
    const found = this.kept.filter((event) => event.system === system || event.target === system).slice(-most);
    return found.reverse().flatMap((event) => this.#item(event) ?? []);
  }

  /** @param {WorldEvent} event */
  #item(event) {
    const parts = sentence(event);
    const { world } = this;
    if (!parts || !world) return null;
    const time = make("button", { class: "when", title: `To tick ${event.tick}`, click: () => this.picked.tick(event.tick) }, String(event.tick));
    const item = make("li", { "data-type": event.type }, time);
    const colours = this.theme.factions(world.colours);
    for (const part of parts) {
      if (typeof part === "string") item.append(part);
      else if ("faction" in part) {
        const colour = colours[world.factions.indexOf(part.faction)];
        item.append(named(part.faction, colour ? css(colour) : "transparent"));
      } else {
        const row = systemRow(part.system);
        item.append(make("button", { class: "where", click: () => this.picked.system(row) }, world.map.names[row] ?? part.system));
      }
    }
    return item;
  }
}
