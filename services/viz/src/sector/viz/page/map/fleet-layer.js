/** The fleet layer: moving fleets, drawn each frame. The position of a fleet follows from its departure and arrival ticks. */

import { formatShort } from "../ui/format.js";
import { PixelBlitter } from "./pixel-blitter.js";
import { drawFleetSprites, GRADES, HEADINGS } from "./sprites.js";

/** @typedef {import("../ui/theme.js").Theme} Theme */
/** @typedef {import("../world/world.js").World} World */
/** @typedef {import("./camera.js").Camera} Camera */

const MIN_COUNT_SCALE = 11;
const MAX_COUNTS = 150;
const MIN_BLIT_FLEETS = 1_500;
const MAX_BLIT_SPRITE_SIZE = 14;
const MAX_BLIT_CANVAS_PIXELS = 4_000_000;

export class FleetLayer {
  /** @param {CanvasRenderingContext2D} context @param {Camera} camera @param {Theme} theme */
  constructor(context, camera, theme) {
    this.context = context;
    this.camera = camera;
    this.theme = theme;
    this.sheetKey = "";
    this.blitter = new PixelBlitter(context);
    this.sheet = drawFleetSprites([], { length: 1, background: "" });
    /** @type {{world: World | null, departures: number}} */
    this.spriteState = { world: null, departures: -1 };
    /** The position of the sprite of each fleet on the sheet. */
    this.spriteColumns = new Uint8Array();
    this.spriteRows = new Uint16Array();
  }

  /** @param {World} world */
  #selectSprites(world) {
    const { spriteState } = this;
    if (spriteState.world === world && spriteState.departures === world.fleetVersion) return;
    this.spriteState = { world, departures: world.fleetVersion };
    const { owner, origin, target, ships } = world.fleets.columns;
    const { x, y } = world.map;
    const { rows } = world.fleets;
    this.spriteColumns = new Uint8Array(rows);
    this.spriteRows = new Uint16Array(rows);
    for (let fleet = 0; fleet < rows; fleet++) {
      const [from, to] = [origin.values[fleet], target.values[fleet]];
      const turn = Math.atan2(y[to] - y[from], x[to] - x[from]) / (2 * Math.PI);
      this.spriteColumns[fleet] = Math.round((turn + 1) * HEADINGS) % HEADINGS;
      const grade = Math.min(Math.floor(Math.log2(ships.values[fleet] + 1) / 2.5), GRADES - 1);
      this.spriteRows[fleet] = owner.values[fleet] * GRADES + grade;
    }
  }

  /**
   * Draw all fleets in the picture. Returns how many it drew.
   * @param {World} world
   * @param {number} time in ticks
   * @param {number} ratio device pixels per CSS pixel
   */
  draw(world, time, ratio) {
    const { rows, columns } = world.fleets;
    if (!rows) return 0;
    this.#selectSprites(world);
    const { camera, context } = this;
    const length = Math.min(Math.max(camera.scale * 1.1, 4), 15) * ratio;
    const sheetKey = `${length.toFixed(1)} ${world.colours} ${this.theme.version}`;
    if (this.sheetKey !== sheetKey) {
      this.sheetKey = sheetKey;
      this.sheet = drawFleetSprites(this.theme.factionColours(world.colours), { length, background: this.theme.colours.background });
    }
    const { canvas, size } = this.sheet;
    const { x, y } = world.map;
    const [origin, target, departed, arrives] = [columns.origin.values, columns.target.values, columns.departed.values, columns.arrives.values];
    const scale = camera.scale * ratio;
    const [left, top] = [camera.x * ratio - size / 2, camera.y * ratio - size / 2];
    const [right, bottom] = [camera.width * ratio, camera.height * ratio];
    const { spriteColumns, spriteRows } = this;
    let count = 0;
    const blitter = rows >= MIN_BLIT_FLEETS && size <= MAX_BLIT_SPRITE_SIZE && right * bottom <= MAX_BLIT_CANVAS_PIXELS ? this.blitter : null;
    blitter?.begin(this.sheet);
    context.setTransform(1, 0, 0, 1, 0, 0);
    for (let fleet = 0; fleet < rows; fleet++) {
      const from = origin[fleet];
      const to = target[fleet];
      const progress = Math.min(Math.max((time - departed[fleet]) / (arrives[fleet] - departed[fleet]), 0), 1);
      const px = (x[from] + (x[to] - x[from]) * progress) * scale + left;
      const py = (y[from] + (y[to] - y[from]) * progress) * scale + top;
      if (px < -size || py < -size || px > right || py > bottom) continue;
      if (blitter) blitter.put(spriteColumns[fleet], spriteRows[fleet], px, py);
      else context.drawImage(canvas, spriteColumns[fleet] * size, spriteRows[fleet] * size, size, size, px, py, size, size);
      count++;
    }
    blitter?.end();
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    if (camera.scale >= MIN_COUNT_SCALE && count <= MAX_COUNTS) this.#drawCounts(world, time);
    return count;
  }

  /** @param {World} world @param {number} time */
  #drawCounts(world, time) {
    const { camera, context } = this;
    const { ships } = world.fleets.columns;
    context.font = "600 11px system-ui, sans-serif";
    context.textAlign = "center";
    context.lineWidth = 3;
    context.strokeStyle = this.theme.colours.background;
    context.fillStyle = this.theme.colours.text;
    for (let fleet = 0; fleet < world.fleets.rows; fleet++) {
      const position = fleetPosition(world, fleet, time);
      const [px, py] = [position.x * camera.scale + camera.x, position.y * camera.scale + camera.y - 12];
      if (px < 0 || py < 0 || px > camera.width || py > camera.height) continue;
      context.strokeText(formatShort(ships.values[fleet]), px, py);
      context.fillText(formatShort(ships.values[fleet]), px, py);
    }
  }
}

/**
 * Return the position of a fleet in the world.
 * @param {World} world
 * @param {number} fleet its row
 * @param {number} time in ticks
 */
export function fleetPosition({ fleets, map }, fleet, time) {
  const { origin, target, departed, arrives } = fleets.columns;
  const [from, to] = [origin.values[fleet], target.values[fleet]];
  const progress = Math.min(Math.max((time - departed.values[fleet]) / (arrives.values[fleet] - departed.values[fleet]), 0), 1);
  return { x: map.x[from] + (map.x[to] - map.x[from]) * progress, y: map.y[from] + (map.y[to] - map.y[from]) * progress };
}
