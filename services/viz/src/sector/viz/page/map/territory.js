/** Territory: soft regions of colour. Which systems are nearest to each cell of a grid is worked out once a map; colours follow owners. */

import { offscreenContextOf } from "../ui/canvas.js";

/** @typedef {import("../world/world.js").WorldMap} WorldMap */
/** @typedef {import("../world/world.js").Values} Values */
/** @typedef {import("../ui/theme.js").Colour} Colour */

const NEAREST = 3;
const CELLS = 400;
const REACH = 1.3;
/** How sharply regions part: weights fall with this power of the nearness. */
const SHARPNESS = 5;

export class Territory {
  /** @param {WorldMap} map */
  constructor(map) {
    const { left, right, top, bottom } = map.bounds;
    const area = Math.max(right - left, 1) * Math.max(bottom - top, 1);
    /** How far a system's colour reaches, in units of the map. */
    this.reach = REACH * Math.sqrt(area / map.count);
    const spread = Math.max(right - left, bottom - top) + 2 * this.reach;
    this.cell = spread / CELLS;
    this.left = left - this.reach;
    this.top = top - this.reach;
    this.wide = Math.ceil((right - left + 2 * this.reach) / this.cell);
    this.high = Math.ceil((bottom - top + 2 * this.reach) / this.cell);
    this.near = new Int32Array(this.wide * this.high * NEAREST).fill(-1);
    this.weight = new Float32Array(this.wide * this.high * NEAREST);
    this.canvas = new OffscreenCanvas(this.wide, this.high);
    this.context = offscreenContextOf(this.canvas);
    this.image = this.context.createImageData(this.wide, this.high);
    this.#measure(map);
  }

  /** @param {WorldMap} chart */
  #measure({ x, y, count }) {
    const { wide, high, cell, reach } = this;
    const span = Math.ceil(reach / cell);
    for (let system = 0; system < count; system++) {
      const [column, row] = [(x[system] - this.left) / cell, (y[system] - this.top) / cell];
      for (let v = Math.max(Math.floor(row) - span, 0); v <= Math.min(Math.floor(row) + span, high - 1); v++) {
        for (let u = Math.max(Math.floor(column) - span, 0); u <= Math.min(Math.floor(column) + span, wide - 1); u++) {
          const nearness = 1 - (Math.hypot(u + 0.5 - column, v + 0.5 - row) * cell) / reach;
          if (nearness > 0) this.#insert((v * wide + u) * NEAREST, system, nearness);
        }
      }
    }
  }

  /** @param {number} at @param {number} system @param {number} nearness 0 to 1 */
  #insert(at, system, nearness) {
    const { near, weight } = this;
    let place = at + NEAREST - 1;
    if (nearness <= weight[place]) return;
    for (; place > at && weight[place - 1] < nearness; place--) {
      weight[place] = weight[place - 1];
      near[place] = near[place - 1];
    }
    weight[place] = nearness;
    near[place] = system;
  }

  /**
   * Paint who owns what.
   * @param {Values} owner
   * @param {Colour[]} colours
   * @param {number} opacity
   */
  paint(owner, colours, opacity) {
    const { near, weight, image } = this;
    const pixels = image.data;
    for (let at = 0, pixel = 0; at < near.length; at += NEAREST, pixel += 4) {
      let [red, green, blue, owned, all, lead, second, close] = [0, 0, 0, 0, 0, 0, 0, 0];
      let first = -1;
      for (let k = at; k < at + NEAREST && near[k] >= 0; k++) {
        const part = weight[k] ** SHARPNESS;
        close += weight[k];
        all += part;
        const of = owner[near[k]];
        if (of < 0) continue;
        const colour = colours[of];
        red += colour[0] * part;
        green += colour[1] * part;
        blue += colour[2] * part;
        owned += part;
        if (first < 0 || of === first) {
          first = of;
          lead += part;
        } else second += part;
      }
      if (owned === 0) {
        pixels[pixel + 3] = 0;
        continue;
      }
      pixels[pixel] = red / owned;
      pixels[pixel + 1] = green / owned;
      pixels[pixel + 2] = blue / owned;
      // Full inside, soft where it ends, a little brighter along a border between two.
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
