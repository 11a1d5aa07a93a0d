/** The timeline of a sim: the totals of the factions by tick, and the ticks with battles. */

/** @typedef {import("../net/history.js").FactionTotals} FactionTotals */
/** @typedef {import("../net/history.js").TimelineData} TimelineData */

const MAX_TOTALS = 4_000;

export class Timeline {
  constructor() {
    /** The first tick of the history. */
    this.firstTick = 0;
    /** @type {FactionTotals[]} by ascending tick */
    this.totals = [];
    /** @type {Map<number, number>} how many battles there were in a tick */
    this.battles = new Map();
    this.version = 0;
  }

  clear() {
    this.firstTick = 0;
    this.totals = [];
    this.battles.clear();
    this.version++;
  }

  /** @param {TimelineData} data */
  load(data) {
    this.firstTick = data.first;
    const byTick = new Map(this.totals.map((each) => [each.tick, each]));
    for (const each of data.totals) byTick.set(each.tick, each);
    this.totals = [...byTick.values()].sort((a, b) => a.tick - b.tick);
    for (const [tick, count] of data.battles) this.#count(tick, count);
    for (const tick of this.battles.keys()) if (tick < this.firstTick) this.battles.delete(tick);
    this.version++;
  }

  /** @param {FactionTotals} totals @param {number} battles */
  add(totals, battles) {
    if (totals.tick <= (this.totals.at(-1)?.tick ?? -1)) return;
    this.totals.push(totals);
    // For the chart, every second value of the older half is enough.
    if (this.totals.length > MAX_TOTALS) this.totals = this.totals.filter((_, index) => index > MAX_TOTALS / 2 || index % 2 === 0);
    this.#count(totals.tick, battles);
    this.version++;
  }

  /** @param {number} tick @param {number} count */
  #count(tick, count) {
    if (count) this.battles.set(tick, count);
  }

  /**
   * Return the nearest tick with a battle after or before a tick, or null.
   * @param {number} tick
   * @param {1 | -1} direction
   */
  nextBattle(tick, direction) {
    let best = null;
    for (const each of this.battles.keys()) {
      if ((each - tick) * direction <= 0 || each < this.firstTick) continue;
      if (best === null || (best - each) * direction > 0) best = each;
    }
    return best;
  }
}
