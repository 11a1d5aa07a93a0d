/** Territory: soft regions in the colours of the owners. The nearest systems of each cell of a grid are computed once per map. */

import { offscreenContextOf } from "../ui/canvas.js";

/** @typedef {import("../codec/frame.js").Values} Values */
/** @typedef {import("../ui/theme.js").Colour} Colour */
/** @typedef {import("../world/world-map.js").WorldMap} WorldMap */

const NEAREST = 3;
const CELLS = 400;
const REACH = 1.3;
/** The sharpness of borders: weights fall with this power of the nearness. */
const SHARPNESS = 5;

export class Territory {
  /** @param {WorldMap} map */
  constructor(map) {
    const { left, right, top, bottom } = map.bounds;
    const area = Math.max(right - left, 1) * Math.max(bottom - top, 1);
    /** The radius of the colour around a system, in units of the map. */
    this.reach = REACH * Math.sqrt(area / map.count);
    const spread = Math.max(right - left, bottom - top) + 2 * this.reach;
    this.cell = spread / CELLS;
    this.left = left - this.reach;
    this.top = top - this.reach;
    this.columns = Math.ceil((right - left + 2 * this.reach) / this.cell);
    this.rows = Math.ceil((bottom - top + 2 * this.reach) / this.cell);
    this.systems = new Int32Array(this.columns * this.rows * NEAREST).fill(-1);
    this.weights = new Float32Array(this.columns * this.rows * NEAREST);
    this.canvas = new OffscreenCanvas(this.columns, this.rows);
    this.context = offscreenContextOf(this.canvas);
    this.image = this.context.createImageData(this.columns, this.rows);
    this.#computeNearest(map);
  }

  /** @param {WorldMap} map */
  #computeNearest({ x, y, count }) {
    const { columns, rows, cell, reach } = this;
    const span = Math.ceil(reach / cell);
    for (let system = 0; system < count; system++) {
      const [column, row] = [(x[system] - this.left) / cell, (y[system] - this.top) / cell];
      for (let v = Math.max(Math.floor(row) - span, 0); v <= Math.min(Math.floor(row) + span, rows - 1); v++) {
        for (let u = Math.max(Math.floor(column) - span, 0); u <= Math.min(Math.floor(column) + span, columns - 1); u++) {
          const nearness = 1 - (Math.hypot(u + 0.5 - column, v + 0.5 - row) * cell) / reach;
          if (nearness > 0) this.#insert((v * columns + u) * NEAREST, system, nearness);
        }
      }
    }
  }

  /** @param {number} start @param {number} system @param {number} nearness 0 to 1 */
  #insert(start, system, nearness) {
    const { systems, weights } = this;
    let slot = start + NEAREST - 1;
    if (nearness <= weights[slot]) return;
    for (; slot > start && weights[slot - 1] < nearness; slot--) {
      weights[slot] = weights[slot - 1];
      systems[slot] = systems[slot - 1];
    }
    weights[slot] = nearness;
    systems[slot] = system;
  }

  /**
   * Paint the territory of each faction.
   * @param {Values} owner
   * @param {Colour[]} colours
   * @param {number} opacity
   */
  paint(owner, colours, opacity) {
    const { systems, weights, image } = this;
    const pixels = image.data;
    for (let start = 0, pixel = 0; start < systems.length; start += NEAREST, pixel += 4) {
      let [red, green, blue, owned, all, lead, second, close] = [0, 0, 0, 0, 0, 0, 0, 0];
      let first = -1;
      for (let slot = start; slot < start + NEAREST && systems[slot] >= 0; slot++) {
        const share = weights[slot] ** SHARPNESS;
        close += weights[slot];
        all += share;
        const faction = owner[systems[slot]];
        if (faction < 0) continue;
        const colour = colours[faction];
        red += colour[0] * share;
        green += colour[1] * share;
        blue += colour[2] * share;
        owned += share;
        if (first < 0 || faction === first) {
          first = faction;
          lead += share;
        } else second += share;
      }
      if (owned === 0) {
        pixels[pixel + 3] = 0;
        continue;
      }
      pixels[pixel] = red / owned;
      pixels[pixel + 1] = green / owned;
      pixels[pixel + 2] = blue / owned;
      // Opaque inside, soft at the edge, slightly brighter along a border between two factions.
      const inside = Math.min(close * 1.9, 1) * (owned / all);
      const border = second > 0 ? 1 - Math.abs(lead - second) / (lead + second) : 0;
      const rim = Math.max(0, 1 - Math.abs(inside - 0.55) * 2.2);
      pixels[pixel + 3] = 255 * opacity * Math.min(smooth(inside) + 0.5 * rim + 0.45 * border * inside, 1.6);
    }
    this.context.putImageData(image, 0, 0);
  }
}

/** @param {number} t 0 to 1 */
function smooth(t) {
  return t * t * (3 - 2 * t);
}
