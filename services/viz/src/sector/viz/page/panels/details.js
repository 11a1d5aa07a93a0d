/** The story of what is selected: a system or a fleet, who has it, what comes to it, what happened there, and what may be done. */

import { byId, make, named } from "../ui/dom.js";
import { duration, whole } from "../ui/format.js";
import { css } from "../ui/theme.js";

/** @typedef {import("./event-log.js").Feed} Feed */
/** @typedef {import("../map/selection-layer.js").Selection} Selection */
/** @typedef {import("../time/playback.js").Playback} Playback */
/** @typedef {import("../ui/theme.js").Theme} Theme */
/** @typedef {import("../world/world.js").World} World */

const MOST_EVENTS = 6;
const MOST_FLEETS = 6;

export class Story {
  /**
   * @param {Playback} playback
   * @param {Theme} theme
   * @param {Feed} feed
   * @param {(selection: Selection | null) => void} select
   * @param {(world: World, system: number) => HTMLElement | null} actions what may be done with a system
   */
  constructor(playback, theme, feed, select, actions) {
    this.playback = playback;
    this.theme = theme;
    this.feed = feed;
    this.select = select;
    this.actions = actions;
    this.element = byId("story");
    this.facts = make("div", { class: "facts" });
    this.doing = make("div", { class: "doing" });
    this.element.append(make("button", { class: "close", "aria-label": "Close", click: () => select(null) }, "✕"), this.facts, this.doing);
    this.told = "";
    this.done = "";
    this.about = "";
  }

  /** @param {Selection | null} selection */
  show(selection) {
    const { world } = this.playback;
    this.element.hidden = !selection || !world;
    if (!selection || !world) {
      this.told = this.done = "";
      return;
    }
    const told = `${selection.kind} ${selection.id} ${world.map.id} ${world.tick} ${this.feed.kept.length}`;
    if (told === this.told) return;
    this.told = told;
    const about = `${selection.kind} ${selection.id} ${world.map.id}`;
    // Who has come to a link there with the keyboard keeps it.
    if (about !== this.about || !this.facts.contains(document.activeElement)) {
      this.facts.replaceChildren(...(selection.kind === "system" ? this.#system(world, selection.id) : this.#fleet(world, selection.id)));
    }
    this.about = about;
    this.#offer(world, selection);
  }

  /** @param {World} world @param {Selection} selection */
  #offer(world, selection) {
    const system = selection.kind === "system" ? selection.id : -1;
    const state = `${system} ${system < 0 ? "" : world.owner[system]} ${world.map.id} ${this.playback.isLive}`;
    if (state === this.done) return;
    this.done = state;
    const actions = system < 0 ? null : this.actions(world, system);
    this.doing.replaceChildren(...(actions ? [actions] : []));
  }

  /** Offer anew what may be done, since something else may be done now. */
  refresh() {
    this.done = this.told = "";
  }

  /** @param {World} world @param {number} faction its row */
  #owner(world, faction) {
    if (faction < 0) return make("span", { class: "quiet" }, "nobody");
    return named(world.factions[faction], css(this.theme.factions(world.colours)[faction]));
  }

  /** @param {World} world @param {number} system */
  #link(world, system) {
    return make("button", { class: "where", click: () => this.select({ kind: "system", id: system }) }, world.map.names[system]);
  }

  /** @param {World} world @param {number} system */
  #system(world, system) {
    const { map, fleets } = world;
    const { origin, target, owner, ships, arrives } = fleets.columns;
    const coming = [];
    for (let row = 0; row < fleets.rows; row++) if (target.values[row] === system) coming.push(row);
    coming.sort((a, b) => arrives.values[a] - arrives.values[b]);
    const beside = map.neighbours(system);
    return [
      make("h2", {}, map.names[system], make("small", {}, ` S${system}${map.homes.includes(system) ? " · home" : ""}`)),
      facts([
        ["Owner", this.#owner(world, world.owner[system])],
        ["Garrison", `${whole(world.ships[system])} ships`],
        ["Growth", `${map.growth[system]} ships a tick`],
        ["Yield", `${map.supplyYield[system]} supply a tick`],
        ["Lanes", make("span", {}, ...beside.flatMap(({ to, length }, at) => [at ? ", " : "", this.#link(world, to), ` ${length}`]))],
      ]),
      ...titled("On their way here", coming.slice(0, MOST_FLEETS).map((row) => make("li", {}, this.#owner(world, owner.values[row]), ` ${whole(ships.values[row])} from `, this.#link(world, origin.values[row]), `, in ${this.#until(world, arrives.values[row])}`)), coming.length),
      ...titled("What happened here", this.feed.at(`S${system}`, MOST_EVENTS)),
    ];
  }

  /** @param {World} world @param {number} id */
  #fleet(world, id) {
    const { origin, target, owner, ships, departed, arrives, id: ids } = world.fleets.columns;
    const row = ids.values.indexOf(id);
    if (row < 0) return [make("h2", {}, `Fleet F${id}`), make("p", {}, "It has arrived.")];
    const way = Math.round(((world.tick - departed.values[row]) / (arrives.values[row] - departed.values[row])) * 100);
    return [
      make("h2", {}, "Fleet", make("small", {}, ` F${id}`)),
      facts([
        ["Owner", this.#owner(world, owner.values[row])],
        ["Strength", `${whole(ships.values[row])} ships`],
        ["From", this.#link(world, origin.values[row])],
        ["To", this.#link(world, target.values[row])],
        ["Departed", `tick ${departed.values[row]}`],
        ["Arrives", `tick ${arrives.values[row]}, in ${this.#until(world, arrives.values[row])}; ${way} % of its way`],
      ]),
    ];
  }

  /** @param {World} world @param {number} tick */
  #until(world, tick) {
    const ticks = tick - world.tick;
    return `${ticks} tick${ticks === 1 ? "" : "s"} (${duration(ticks, this.playback.tickPeriodMs)})`;
  }
}

/** @param {[string, Node | string][]} pairs */
function facts(pairs) {
  return make("dl", {}, ...pairs.flatMap(([name, value]) => [make("dt", {}, name), make("dd", {}, value)]));
}

/** @param {string} title @param {HTMLElement[]} items @param {number} [all] */
function titled(title, items, all = items.length) {
  if (!items.length) return [];
  return [make("h3", {}, all > items.length ? `${title} (${all})` : title), make("ul", {}, ...items)];
}
