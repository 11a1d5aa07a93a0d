/** The traffic: fleets under way, drawn each frame. A fleet's place follows from when it departed and when it arrives. */

import { short } from "../ui/format.js";
import { fleetSheet, GRADES, HEADINGS } from "./sprites.js";
import { Swarm } from "./pixel-blitter.js";

/** @typedef {import("./camera.js").Camera} Camera */
/** @typedef {import("../ui/theme.js").Theme} Theme */
/** @typedef {import("../world/world.js").World} World */

const COUNTED_FROM = 11;
const MOST_COUNTED = 150;
const SWARM_FROM = 1_500;
const SWARM_SIZE = 14;
const SWARM_PIXELS = 4_000_000;

export class Traffic {
  /** @param {CanvasRenderingContext2D} context @param {Camera} camera @param {Theme} theme */
  constructor(context, camera, theme) {
    this.context = context;
    this.camera = camera;
    this.theme = theme;
    this.key = "";
    this.swarm = new Swarm(context);
    this.sheet = fleetSheet([], { length: 1, ground: "" });
    /** @type {{world: World | null, departures: number}} */
    this.known = { world: null, departures: -1 };
    /** Of each fleet where its picture is on the sheet. */
    this.column = new Uint8Array();
    this.row = new Uint16Array();
  }

  /** @param {World} world */
  #prepare(world) {
    const { known } = this;
    if (known.world === world && known.departures === world.fleetVersion) return;
    this.known = { world, departures: world.fleetVersion };
    const { owner, origin, target, ships } = world.fleets.columns;
    const { x, y } = world.map;
    const { rows } = world.fleets;
    this.column = new Uint8Array(rows);
    this.row = new Uint16Array(rows);
    for (let fleet = 0; fleet < rows; fleet++) {
      const [from, to] = [origin.values[fleet], target.values[fleet]];
      const turn = Math.atan2(y[to] - y[from], x[to] - x[from]) / (2 * Math.PI);
      this.column[fleet] = Math.round((turn + 1) * HEADINGS) % HEADINGS;
      const grade = Math.min(Math.floor(Math.log2(ships.values[fleet] + 1) / 2.5), GRADES - 1);
      this.row[fleet] = owner.values[fleet] * GRADES + grade;
    }
  }

  /**
   * Draw all fleets in the picture; returns how many there were.
   * @param {World} world
   * @param {number} time in ticks
   * @param {number} ratio device pixels a CSS pixel
   */
  draw(world, time, ratio) {
    const { rows, columns } = world.fleets;
    if (!rows) return 0;
    this.#prepare(world);
    const { camera, context } = this;
    const length = Math.min(Math.max(camera.scale * 1.1, 4), 15) * ratio;
    const key = `${length.toFixed(1)} ${world.colours} ${this.theme.version}`;
    if (this.key !== key) {
      this.key = key;
      this.sheet = fleetSheet(this.theme.factions(world.colours), { length, ground: this.theme.named.ground });
    }
    const { canvas, size } = this.sheet;
    const { x, y } = world.map;
    const [origin, target, departed, arrives] = [columns.origin.values, columns.target.values, columns.departed.values, columns.arrives.values];
    const scale = camera.scale * ratio;
    const [left, top] = [camera.x * ratio - size / 2, camera.y * ratio - size / 2];
    const [right, bottom] = [camera.width * ratio, camera.height * ratio];
    const { column, row } = this;
    let drawn = 0;
    const swarm = rows >= SWARM_FROM && size <= SWARM_SIZE && right * bottom <= SWARM_PIXELS ? this.swarm : null;
    swarm?.begin(this.sheet);
    context.setTransform(1, 0, 0, 1, 0, 0);
    for (let fleet = 0; fleet < rows; fleet++) {
      const from = origin[fleet];
      const to = target[fleet];
      const way = Math.min(Math.max((time - departed[fleet]) / (arrives[fleet] - departed[fleet]), 0), 1);
      const px = (x[from] + (x[to] - x[from]) * way) * scale + left;
      const py = (y[from] + (y[to] - y[from]) * way) * scale + top;
      if (px < -size || py < -size || px > right || py > bottom) continue;
      if (swarm) swarm.put(column[fleet], row[fleet], px, py);
      else context.drawImage(canvas, column[fleet] * size, row[fleet] * size, size, size, px, py, size, size);
      drawn++;
    }
    swarm?.end();
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    if (camera.scale >= COUNTED_FROM && drawn <= MOST_COUNTED) this.#count(world, time);
    return drawn;
  }

  /** @param {World} world @param {number} time */
  #count(world, time) {
    const { camera, context } = this;
    const { ships } = world.fleets.columns;
    context.font = "600 11px system-ui, sans-serif";
    context.textAlign = "center";
    context.lineWidth = 3;
    context.strokeStyle = this.theme.named.ground;
    context.fillStyle = this.theme.named.ink;
    for (let fleet = 0; fleet < world.fleets.rows; fleet++) {
      const place = placeOf(world, fleet, time);
      const [px, py] = [place.x * camera.scale + camera.x, place.y * camera.scale + camera.y - 12];
      if (px < 0 || py < 0 || px > camera.width || py > camera.height) continue;
      context.strokeText(short(ships.values[fleet]), px, py);
      context.fillText(short(ships.values[fleet]), px, py);
    }
  }
}

/**
 * Return where a fleet is.
 * @param {World} world
 * @param {number} fleet its row
 * @param {number} time in ticks
 */
export function placeOf({ fleets, map }, fleet, time) {
  const { origin, target, departed, arrives } = fleets.columns;
  const [from, to] = [origin.values[fleet], target.values[fleet]];
  const way = Math.min(Math.max((time - departed.values[fleet]) / (arrives.values[fleet] - departed.values[fleet]), 0), 1);
  return { x: map.x[from] + (map.x[to] - map.x[from]) * way, y: map.y[from] + (map.y[to] - map.y[from]) * way };
}
