/** Command: what a player may do with a system, by drag or by form. */

import { createElement } from "../ui/dom.js";
import { formatNumber } from "../ui/format.js";

/** @typedef {import("../map/map-view.js").MapView} MapView */
/** @typedef {import("./player.js").Player} Player */
/** @typedef {import("../time/playback.js").Playback} Playback */
/** @typedef {import("../world/world.js").World} World */

const PARTS = [["¼", 0.25], ["½", 0.5], ["¾", 0.75], ["all", 1]];

export class Command {
  /** @param {Playback} playback @param {MapView} map @param {Player} player */
  constructor(playback, map, player) {
    this.playback = playback;
    this.map = map;
    this.player = player;
    /** Which part of a garrison a drag sends. */
    this.part = 0.5;
    /** @type {number | null} */
    this.from = null;
  }

  /** Whether orders can be given: the past cannot be changed. */
  get isReady() {
    return this.player.row >= 0 && this.playback.isLive && this.playback.live?.status === "running";
  }

  /** @param {number} x @param {number} y in the picture */
  canAim(x, y) {
    const { live } = this.playback;
    if (!this.isReady || !live) return false;
    const found = this.map.pick(live, this.playback.time, x, y, true);
    if (!found || live.owner[found.id] !== this.player.row) return false;
    this.from = found.id;
    return true;
  }

  /** @param {number} x @param {number} y */
  aim(x, y) {
    const { live } = this.playback;
    if (this.from === null || !live) return;
    const target = this.#target(live, x, y);
    const ships = this.#ships(live, this.from);
    const lane = target === null ? null : live.map.neighbours(this.from).find(({ to }) => to === target);
    const text = target === null ? "" : `${formatNumber(ships)} ships${lane ? `, ${lane.length} ticks` : ""}`;
    this.map.selectionLayer.set({ orderArrow: { from: this.from, to: { x, y }, target, text } });
  }

  /** @param {World} world @param {number} system */
  #ships(world, system) {
    return Math.max(Math.floor(world.ships[system] * this.part), 1);
  }

  /** @param {World} world @param {number} x @param {number} y @returns {number | null} where ships may go to */
  #target(world, x, y) {
    const found = this.map.pick(world, this.playback.time, x, y, true);
    if (!found || found.id === this.from) return null;
    const { from } = this;
    if (this.player.config && String(this.player.config.travel) === "direct") return found.id;
    return from !== null && world.map.neighbours(from).some(({ to }) => to === found.id) ? found.id : null;
  }

  /** @param {number} x @param {number} y */
  release(x, y) {
    const { live } = this.playback;
    const { from } = this;
    if (live && from !== null) {
      const target = this.#target(live, x, y);
      if (target !== null) this.#send(from, target, this.#ships(live, from));
    }
    this.cancel();
  }

  cancel() {
    this.from = null;
    if (this.map.selectionLayer.orderArrow) this.map.selectionLayer.set({ orderArrow: null });
  }

  /** @param {number} system @param {number} target @param {number} ships */
  #send(system, target, ships) {
    this.player.give({ type: "move_fleet", faction: this.player.faction, system: `S${system}`, target: `S${target}`, ships });
  }

  /**
   * Return forms for what may be done with a system; null where nothing may.
   * @param {World} world
   * @param {number} system
   */
  forms(world, system) {
    if (!this.isReady) return null;
    const { row, faction, config } = this.player;
    const beside = world.map.neighbours(system);
    const id = `S${system}`;
    const note = this.#note(id);
    if (world.owner[system] === row) return createElement("div", {}, this.#parts(), this.#sending(world, system), this.#mustering(id), note);
    if (world.owner[system] >= 0 || !beside.some(({ to }) => world.owner[to] === row)) return createElement("div", {}, note);
    const cost = config ? ` for ${formatNumber(config.claim_base + config.claim_per_ship * world.ships[system])} supply` : "";
    return createElement("div", {}, createElement("button", { class: "strong", click: () => this.player.give({ type: "set_owner", faction, system: id }) }, `Claim${cost}`), note);
  }

  #parts() {
    const buttons = PARTS.map(([title, part]) => {
      const button = createElement("button", { "aria-pressed": String(part === this.part) }, String(title));
      button.addEventListener("click", () => {
        this.part = Number(part);
        for (const each of buttons) each.setAttribute("aria-pressed", String(each === button));
      });
      return button;
    });
    return createElement("div", { class: "row parts", role: "group", "aria-label": "Which part of a garrison a drag sends" }, createElement("span", { class: "quiet" }, "A drag sends"), ...buttons);
  }

  /** @param {World} world @param {number} system */
  #sending(world, system) {
    const targets = world.map.neighbours(system).map(({ to, length }) => createElement("option", { value: String(to) }, `${world.map.names[to]} (${length})`));
    const target = createElement("select", { "aria-label": "Where to" }, ...targets);
    const ships = count("Ships to send", String(Math.max(Math.floor(world.ships[system] / 2), 1)));
    return form("Send", () => this.#send(system, Number(target.value), Number(ships.value)), ships, target);
  }

  /** @param {string} id */
  #mustering(id) {
    const { faction, config } = this.player;
    const ships = count("Ships to muster", "5");
    const cost = config ? `Muster, ${formatNumber(config.muster_cost)} supply each` : "Muster";
    return form(cost, () => this.player.give({ type: "add_fleet", faction, system: id, ships: Number(ships.value) }), ships);
  }

  /** @param {string} id */
  #note(id) {
    const text = createElement("input", { "aria-label": "Note to put here", placeholder: "Say something here", maxlength: "280", required: true });
    return form("Note", () => {
      this.player.give({ type: "note", faction: this.player.faction, text: text.value, system: id });
      text.value = "";
    }, text);
  }
}

/** @param {string} label @param {string} value */
function count(label, value) {
  return createElement("input", { type: "number", min: "1", step: "1", required: true, value, "aria-label": label });
}

/** @param {string} title @param {() => void} submitted @param {HTMLElement[]} fields */
function form(title, submitted, ...fields) {
  return createElement("form", { class: "row", submit: (/** @type {Event} */ event) => {
    event.preventDefault();
    submitted();
  } }, ...fields, createElement("button", {}, title));
}
