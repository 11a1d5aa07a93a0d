/** The map of a sim: its systems with their positions, and the lanes between them. It never changes. */

/** @typedef {import("../codec/frame.js").Frame} Frame */
/** @typedef {import("../codec/frame.js").Values} Values */

export class WorldMap {
  /** @param {Frame} frame of kind `map` */
  constructor(frame) {
    const { systems, lanes, homes } = frame.tables;
    this.id = frame.id;
    this.count = systems.rows;
    this.names = systems.labels.name;
    this.x = systems.columns.x.values;
    this.y = systems.columns.y.values;
    this.growth = systems.columns.growth.values;
    this.supplyYield = systems.columns.supply_yield.values;
    this.laneA = lanes.columns.a.values;
    this.laneB = lanes.columns.b.values;
    this.laneLength = lanes.columns.length.values;
    this.homes = homes.columns.system.values;
    this.bounds = boundsOf(this.x, this.y);
    /** @type {{to: number, length: number}[][] | null} */
    this.adjacency = null;
  }

  /**
   * Return the neighbours of a system, with the lengths of the lanes to them.
   * @param {number} system
   */
  neighbours(system) {
    if (!this.adjacency) {
      this.adjacency = Array.from({ length: this.count }, () => []);
      for (let lane = 0; lane < this.laneA.length; lane++) {
        const [a, b, length] = [this.laneA[lane], this.laneB[lane], this.laneLength[lane]];
        this.adjacency[a].push({ to: b, length });
        this.adjacency[b].push({ to: a, length });
      }
    }
    return this.adjacency[system];
  }
}

/** @param {Values} x @param {Values} y */
function boundsOf(x, y) {
  const bounds = { left: Infinity, right: -Infinity, top: Infinity, bottom: -Infinity };
  for (let row = 0; row < x.length; row++) {
    bounds.left = Math.min(bounds.left, x[row]);
    bounds.right = Math.max(bounds.right, x[row]);
    bounds.top = Math.min(bounds.top, y[row]);
    bounds.bottom = Math.max(bounds.bottom, y[row]);
  }
  return bounds;
}
