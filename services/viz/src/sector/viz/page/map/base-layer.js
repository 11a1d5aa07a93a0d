/** The base layer: territory, lanes, systems and labels. It is drawn only when the world or the camera changes. */

import { contextOf } from "../ui/canvas.js";
import { formatShort } from "../ui/format.js";
import { cssColour, blend, parseColour } from "../ui/theme.js";
import { orderByImportance, placeLabels } from "./labels.js";
import { GRADES, systemRadius, drawSystemSprites } from "./sprites.js";
import { Territory } from "./territory.js";

/** @typedef {import("../ui/theme.js").Colour} Colour */
/** @typedef {import("../ui/theme.js").Theme} Theme */
/** @typedef {import("../world/world-map.js").WorldMap} WorldMap */
/** @typedef {import("../world/world.js").World} World */
/** @typedef {import("./camera.js").Camera} Camera */

const MIN_NAME_SCALE = 5;
const MIN_COLOURED_LANE_SCALE = 1.6;
/** If drawing takes longer, the last drawing is moved with the camera, and drawn again only from time to time. */
const FAST_DRAW_MS = 7;

export class BaseLayer {
  /** @param {HTMLCanvasElement} canvas @param {Camera} camera @param {Theme} theme */
  constructor(canvas, camera, theme) {
    this.canvas = canvas;
    this.camera = camera;
    this.theme = theme;
    this.context = contextOf(canvas, { alpha: false });
    /** @type {Territory | null} */
    this.territory = null;
    /** @type {WorldMap | null} */
    this.map = null;
    this.labelOrder = new Int32Array();
    /** @type {Colour[]} */
    this.colours = [];
    /** @type {{world: World | null, owners: number, theme: number}} */
    this.territoryState = { world: null, owners: -1, theme: -1 };
    this.lastDraw = { camera: -1, world: "", time: 0, durationMs: 0, scale: 1, x: 0, y: 0 };
    this.systemSprites = { key: "", sprites: drawSystemSprites([], { radius: 1, background: "", neutral: "" }) };
  }

  /**
   * Draw if anything changed. Returns whether it did.
   * @param {World} world
   * @param {number} now
   */
  draw(world, now) {
    const { camera, lastDraw } = this;
    const state = `${world.map.id} ${world.tick} ${world.ownerVersion} ${this.theme.version}`;
    const isMoved = lastDraw.camera !== camera.version;
    if (!isMoved && lastDraw.world === state) return false;
    if (isMoved && lastDraw.world !== "" && now - lastDraw.time < Math.min(lastDraw.durationMs * 5, 250) && lastDraw.durationMs > FAST_DRAW_MS) {
      this.#moveLastDraw();
      return false;
    }
    const startTime = performance.now();
    this.canvas.style.transform = "";
    this.#updateTerritory(world);
    this.#drawAll(world);
    this.lastDraw = { camera: camera.version, world: state, time: now, durationMs: performance.now() - startTime, scale: camera.scale, x: camera.x, y: camera.y };
    return true;
  }

  /** Move the last drawing to where the camera is now. */
  #moveLastDraw() {
    const { camera, lastDraw } = this;
    const factor = camera.scale / lastDraw.scale;
    this.canvas.style.transform = `translate(${camera.x - lastDraw.x * factor}px, ${camera.y - lastDraw.y * factor}px) scale(${factor})`;
  }

  /** @param {World} world */
  #updateTerritory(world) {
    const { map } = world;
    if (this.map !== map) {
      this.map = map;
      this.territory = new Territory(map);
      this.labelOrder = orderByImportance(map);
      this.territoryState.world = null;
    }
    this.colours = this.theme.factionColours(world.colours);
    const { territoryState, theme } = this;
    if (territoryState.world === world && territoryState.owners === world.ownerVersion && territoryState.theme === theme.version) return;
    this.territory?.paint(world.owner, this.colours, theme.territoryOpacity);
    this.territoryState = { world, owners: world.ownerVersion, theme: theme.version };
  }

  /** @param {World} world */
  #drawAll(world) {
    const { context, camera } = this;
    const ratio = this.canvas.width / camera.width;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.fillStyle = this.theme.colours.background;
    context.fillRect(0, 0, camera.width, camera.height);
    const territory = /** @type {Territory} */ (this.territory);
    const { scale } = camera;
    context.imageSmoothingEnabled = true;
    context.imageSmoothingQuality = "low";
    context.drawImage(
      territory.canvas,
      territory.left * scale + camera.x,
      territory.top * scale + camera.y,
      territory.columns * territory.cell * scale,
      territory.rows * territory.cell * scale,
    );
    this.#drawLanes(world);
    this.#drawSystems(world, ratio);
    if (camera.scale >= MIN_NAME_SCALE) this.#drawLabels(world);
  }

  /** @param {World} world */
  #drawLanes({ map, owner }) {
    const { context, camera, colours } = this;
    const { x, y, laneA, laneB } = map;
    const isColoured = camera.scale >= MIN_COLOURED_LANE_SCALE;
    /** @type {Path2D[]} by owner, from -1 on */
    const paths = Array.from({ length: isColoured ? colours.length + 1 : 1 }, () => new Path2D());
    for (let lane = 0; lane < laneA.length; lane++) {
      const a = laneA[lane];
      const b = laneB[lane];
      const [fromX, fromY] = [x[a] * camera.scale + camera.x, y[a] * camera.scale + camera.y];
      const [toX, toY] = [x[b] * camera.scale + camera.x, y[b] * camera.scale + camera.y];
      if ((fromX < 0 && toX < 0) || (fromY < 0 && toY < 0)) continue;
      if ((fromX > camera.width && toX > camera.width) || (fromY > camera.height && toY > camera.height)) continue;
      const path = paths[isColoured && owner[a] === owner[b] ? owner[a] + 1 : 0];
      path.moveTo(fromX, fromY);
      path.lineTo(toX, toY);
    }
    const width = Math.min(Math.max(camera.scale / 7, 0.6), 2);
    context.globalAlpha = Math.min(Math.max(camera.scale / 3, 0.35), 1);
    paths.forEach((path, row) => {
      context.lineWidth = row ? width * 1.5 : width;
      context.strokeStyle = row ? cssColour(colours[row - 1], 0.5) : this.theme.colours.lane;
      context.stroke(path);
    });
    context.globalAlpha = 1;
  }

  /** The base radius of a system, in CSS pixels. */
  get radius() {
    return Math.min(Math.max(this.camera.scale * 0.95, 1.3), 15);
  }

  /** @param {World} world @param {number} ratio */
  #drawSystems({ map, owner, colours }, ratio) {
    const { context, camera } = this;
    const radius = this.radius * ratio;
    const { background, neutral } = this.theme.colours;
    const key = `${radius.toFixed(1)} ${colours} ${this.theme.version}`;
    if (this.systemSprites.key !== key) this.systemSprites = { key, sprites: drawSystemSprites([null, ...this.colours], { radius, background, neutral }) };
    const { canvas, size } = this.systemSprites.sprites;
    const half = size / 2;
    context.setTransform(1, 0, 0, 1, 0, 0);
    const [scale, left, top] = [camera.scale * ratio, camera.x * ratio - half, camera.y * ratio - half];
    const [right, bottom] = [this.canvas.width, this.canvas.height];
    for (let system = 0; system < map.count; system++) {
      const [x, y] = [map.x[system] * scale + left, map.y[system] * scale + top];
      if (x < -size || y < -size || x > right || y > bottom) continue;
      const grade = Math.min(map.growth[system], GRADES - 1);
      context.drawImage(canvas, grade * size, (owner[system] + 1) * size, size, size, Math.round(x), Math.round(y), size, size);
    }
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
  }

  /** @param {World} world */
  #drawLabels({ map, ships, owner }) {
    const { context, camera } = this;
    const withNames = camera.scale >= MIN_NAME_SCALE * 1.6;
    const { text: textColour, muted, background } = this.theme.colours;
    const size = Math.min(10 + camera.scale / 6, 15);
    const countFont = `600 ${size + 1}px system-ui, sans-serif`;
    const nameFont = `${size}px system-ui, sans-serif`;
    context.textAlign = "center";
    context.lineJoin = "round";
    context.lineWidth = 3;
    context.strokeStyle = background;
    const visible = placeLabels(map, this.labelOrder, camera, { size, reach: this.radius, withNames });
    const label = (/** @type {string} */ text, /** @type {number} */ x, /** @type {number} */ y) => {
      context.strokeText(text, x, y);
      context.fillText(text, x, y);
    };
    context.font = countFont;
    context.fillStyle = textColour;
    for (const system of visible) {
      const reach = systemRadius(this.radius, Math.min(map.growth[system], GRADES - 1));
      label(formatShort(ships[system]), map.x[system] * camera.scale + camera.x, map.y[system] * camera.scale + camera.y - reach - 4);
    }
    if (!withNames) return;
    context.font = nameFont;
    // A faction's own colour on its own territory is hard to read.
    const nameColours = this.colours.map((colour) => cssColour(blend(colour, parseColour(textColour), 0.6)));
    for (const system of visible) {
      const reach = systemRadius(this.radius, Math.min(map.growth[system], GRADES - 1));
      context.fillStyle = owner[system] < 0 ? muted : nameColours[owner[system]];
      label(map.names[system], map.x[system] * camera.scale + camera.x, map.y[system] * camera.scale + camera.y + reach + size + 1);
    }
  }
}
