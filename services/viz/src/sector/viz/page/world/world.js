/** The world at one tick: its map, and the tables of a snapshot, which deltas advance. */

import { applyDelta } from "../codec/delta.js";

/** @typedef {import("../codec/frame.js").Frame} Frame */
/** @typedef {import("./world-map.js").WorldMap} WorldMap */

export class World {
  /**
   * @param {WorldMap} map
   * @param {Frame} snapshot
   * @param {number} timestampMs when the worker committed the tick
   */
  constructor(map, snapshot, timestampMs) {
    this.map = map;
    this.tables = snapshot.tables;
    // The columns may share memory with other frames, so they are copied before deltas change them.
    for (const table of Object.values(this.tables)) {
      for (const column of Object.values(table.columns)) column.values = column.values.slice();
    }
    this.meta = snapshot.meta;
    this.timestampMs = timestampMs;
    /** Increase when owners or the set of fleets change. */
    this.ownerVersion = 0;
    this.fleetVersion = 0;
  }

  /** @returns {number} */
  get tick() {
    return this.meta.tick;
  }

  /** @returns {string} running or finished */
  get status() {
    return this.meta.status;
  }

  /** @returns {string | null} */
  get winner() {
    return this.meta.winner;
  }

  /** The row of the owner of each system in the factions; -1 if it is neutral. */
  get owner() {
    return this.tables.systems.columns.owner.values;
  }

  /** The garrison of each system. */
  get ships() {
    return this.tables.systems.columns.ships.values;
  }

  get factions() {
    return this.tables.factions.labels.id;
  }

  get colours() {
    return this.tables.factions.labels.colour;
  }

  get supply() {
    return this.tables.factions.columns.supply.values;
  }

  get alive() {
    return this.tables.factions.columns.alive.values;
  }

  get fleets() {
    return this.tables.fleets;
  }

  /**
   * Advance by one tick.
   * @param {Frame} delta
   * @param {number} timestampMs
   */
  apply(delta, timestampMs) {
    applyDelta(this.tables, delta);
    this.meta = delta.meta;
    this.timestampMs = timestampMs;
    if (delta.tables["systems.changed"]?.columns.owner || delta.tables["factions.added"]) this.ownerVersion++;
    if (delta.tables["fleets.added"] || delta.tables["fleets.removed"]) this.fleetVersion++;
  }

  /** Return the totals of each faction. Ships in fleets count. */
  totals() {
    const count = this.factions.length;
    const systems = new Array(count).fill(0);
    const ships = new Array(count).fill(0);
    const { owner, ships: garrison } = this;
    for (let row = 0; row < owner.length; row++) {
      if (owner[row] < 0) continue;
      systems[owner[row]]++;
      ships[owner[row]] += garrison[row];
    }
    const { owner: fleetOwner, ships: fleetShips } = this.fleets.columns;
    for (let row = 0; row < this.fleets.rows; row++) ships[fleetOwner.values[row]] += fleetShips.values[row];
    return { tick: this.tick, systems, ships, supply: Array.from(this.supply) };
  }
}
