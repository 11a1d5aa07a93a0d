/** The world at one tick: the map, which never changes, and a snapshot, kept up to date by deltas. */

import { applyDelta } from "../codec/delta.js";

/** @typedef {import("../codec/frame.js").Frame} Frame */
/** @typedef {import("./world-map.js").WorldMap} WorldMap */

export class World {
  /**
   * @param {WorldMap} map
   * @param {Frame} snapshot
   * @param {number} timestampMs when it was committed
   */
  constructor(map, snapshot, timestampMs) {
    this.map = map;
    this.tables = snapshot.tables;
    // What is read in place may not be written: it may be another's too.
    for (const table of Object.values(this.tables)) {
      for (const column of Object.values(table.columns)) column.values = column.values.slice();
    }
    this.meta = snapshot.meta;
    this.timestampMs = timestampMs;
    /** Counts changes of who owns what, and of which fleets are under way. */
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

  /** Of each system the row of its owner among the factions; -1: nobody. */
  get owner() {
    return this.tables.systems.columns.owner.values;
  }

  /** The garrisons. */
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

  /** What each faction has; ships under way count. */
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
