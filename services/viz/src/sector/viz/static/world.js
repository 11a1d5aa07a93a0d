/** The world as the page knows it: a snapshot, kept up to date by ticks. */

/** @typedef {{id: string, name: string, x: number, y: number, growth: number, owner: string | null, ships: number}} System */
/** @typedef {{id: string, owner: string, origin: string, target: string, ships: number, departed: number, arrives: number}} Fleet */
/** @typedef {{id: string, colour: string, supply: number, puppet: boolean, alive: boolean}} Faction */
/** @typedef {{a: string, b: string, length: number}} Lane */
/** @typedef {{id: string, type: string, tick: number, [field: string]: unknown}} WorldEvent */
/** @typedef {{changed?: object[], added?: object[], removed?: string[]}} Changes */
/** @typedef {{tick: number, status: string, winner: string | null, changes: Record<string, Changes>, events: WorldEvent[]}} Tick */

export class World {
  constructor() {
    this.sim = "";
    this.tick = -1;
    this.status = "";
    /** @type {string | null} */
    this.winner = null;
    /** @type {Map<string, System>} */
    this.systems = new Map();
    /** @type {Map<string, Fleet>} */
    this.fleets = new Map();
    /** @type {Map<string, Faction>} */
    this.factions = new Map();
    /** @type {Lane[]} */
    this.lanes = [];
    /** Milliseconds from one tick to the next, smoothed, and when the last one came. */
    this.periodMs = 500;
    this.tickedAt = performance.now();
  }

  /** @param {{sim: string, tick: number, status: string, winner: string | null, systems: System[], fleets: Fleet[], factions: Faction[], lanes: Lane[]}} snapshot */
  load(snapshot) {
    this.sim = snapshot.sim;
    this.tick = snapshot.tick;
    this.status = snapshot.status;
    this.winner = snapshot.winner;
    this.systems = new Map(snapshot.systems.map((row) => [row.id, row]));
    this.fleets = new Map(snapshot.fleets.map((row) => [row.id, row]));
    this.factions = new Map(snapshot.factions.map((row) => [row.id, row]));
    this.lanes = snapshot.lanes;
    this.tickedAt = performance.now();
  }

  /**
   * Apply a tick. A tick known already is passed over; after a gap nothing changes and the answer is "gap": ask for a snapshot.
   * @param {Tick} tick
   * @returns {"applied" | "known" | "gap"}
   */
  apply(tick) {
    if (tick.tick <= this.tick) return "known";
    if (tick.tick !== this.tick + 1) return "gap";
    for (const [table, changes] of Object.entries(tick.changes)) {
      const rows = /** @type {Map<string, object> | undefined} */ (this[/** @type {"systems"} */ (table)]);
      if (!(rows instanceof Map)) continue;
      for (const row of /** @type {{id: string}[]} */ (changes.changed ?? [])) Object.assign(rows.get(row.id) ?? {}, row);
      for (const id of changes.removed ?? []) rows.delete(id);
      for (const row of /** @type {{id: string}[]} */ (changes.added ?? [])) rows.set(row.id, row);
    }
    const now = performance.now();
    this.periodMs += (Math.min(Math.max(now - this.tickedAt, 20), 10_000) - this.periodMs) * 0.2;
    this.tickedAt = now;
    this.tick = tick.tick;
    this.status = tick.status;
    this.winner = tick.winner;
    return "applied";
  }

  /** The time in ticks, with what has passed of the next one: fleets glide by it. */
  now() {
    return this.tick + Math.min((performance.now() - this.tickedAt) / this.periodMs, 1);
  }
}
