/** Orders by drag: a drag from an own system to another one sends ships. */

import { formatNumber } from "../ui/format.js";

/** @typedef {import("../map/map-view.js").MapView} MapView */
/** @typedef {import("../time/playback.js").Playback} Playback */
/** @typedef {import("../world/world.js").World} World */
/** @typedef {import("./player.js").Player} Player */

export class DragOrder {
  /** @param {Playback} playback @param {MapView} mapView @param {Player} player */
  constructor(playback, mapView, player) {
    this.playback = playback;
    this.mapView = mapView;
    this.player = player;
    /** The fraction of a garrison that a drag sends. */
    this.fraction = 0.5;
    /** @type {number | null} the system where the drag began */
    this.from = null;
  }

  /**
   * Start a drag if an own system is there. Returns whether it did.
   * @param {number} x in the picture
   * @param {number} y
   */
  start(x, y) {
    const { live } = this.playback;
    if (!this.player.canOrder || !live) return false;
    const selection = this.mapView.pick(live, this.playback.time, x, y, true);
    if (!selection || live.owner[selection.id] !== this.player.row) return false;
    this.from = selection.id;
    return true;
  }

  /**
   * Show the arrow of the order.
   * @param {number} x
   * @param {number} y
   */
  move(x, y) {
    const { live } = this.playback;
    if (this.from === null || !live) return;
    const target = this.#target(live, x, y);
    const ships = this.#ships(live, this.from);
    const lane = target === null ? null : live.map.neighbours(this.from).find(({ to }) => to === target);
    const text = target === null ? "" : `${formatNumber(ships)} ships${lane ? `, ${lane.length} ticks` : ""}`;
    this.mapView.selectionLayer.set({ orderArrow: { from: this.from, to: { x, y }, target, text } });
  }

  /**
   * Submit the order if the drag ended on a valid target.
   * @param {number} x
   * @param {number} y
   */
  drop(x, y) {
    const { live } = this.playback;
    const { from } = this;
    if (live && from !== null) {
      const target = this.#target(live, x, y);
      if (target !== null) this.player.sendShips(from, target, this.#ships(live, from));
    }
    this.cancel();
  }

  cancel() {
    this.from = null;
    if (this.mapView.selectionLayer.orderArrow) this.mapView.selectionLayer.set({ orderArrow: null });
  }

  /** @param {World} world @param {number} system */
  #ships(world, system) {
    return Math.max(Math.floor(world.ships[system] * this.fraction), 1);
  }

  /** @param {World} world @param {number} x @param {number} y @returns {number | null} the system if it is a valid target */
  #target(world, x, y) {
    const selection = this.mapView.pick(world, this.playback.time, x, y, true);
    if (!selection || selection.id === this.from) return null;
    const { from } = this;
    if (this.player.config && String(this.player.config.travel) === "direct") return selection.id;
    return from !== null && world.map.neighbours(from).some(({ to }) => to === selection.id) ? selection.id : null;
  }
}
