/** The ground: territory, lanes, systems and their labels. It is drawn anew when the world or the camera changed, not each frame. */

import { contextOf } from "../ui/canvas.js";
import { short } from "../ui/format.js";
import { byImportance, labelled } from "./labels.js";
import { GRADES, radiusOf, systemSheet } from "./sprites.js";
import { Territory } from "./territory.js";
import { css, mixed, rgb } from "../ui/theme.js";

/** @typedef {import("./camera.js").Camera} Camera */
/** @typedef {import("../ui/theme.js").Colour} Colour */
/** @typedef {import("../ui/theme.js").Theme} Theme */
/** @typedef {import("../world/world.js").World} World */
/** @typedef {import("../world/world.js").WorldMap} WorldMap */

const NAMES_FROM = 5;
const COLOURED_LANES_FROM = 1.6;
/** Above this many milliseconds a drawing, the last one is moved about while the camera moves, and drawn anew only now and then. */
const SWIFT_MS = 7;

export class Ground {
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
    this.order = new Int32Array();
    /** @type {Colour[]} */
    this.colours = [];
    /** @type {{world: World | null, owners: number, theme: number}} */
    this.painted = { world: null, owners: -1, theme: -1 };
    this.drawn = { camera: -1, world: "", at: 0, tookMs: 0, scale: 1, x: 0, y: 0 };
    this.sheet = { key: "", made: systemSheet([], { radius: 1, ground: "", neutral: "" }) };
  }

  /**
   * Draw if anything changed; says whether it did.
   * @param {World} world
   * @param {number} now
   */
  draw(world, now) {
    const { camera, drawn } = this;
    const state = `${world.map.id} ${world.tick} ${world.ownerVersion} ${this.theme.version}`;
    const moved = drawn.camera !== camera.version;
    if (!moved && drawn.world === state) return false;
    if (moved && drawn.world !== "" && now - drawn.at < Math.min(drawn.tookMs * 5, 250) && drawn.tookMs > SWIFT_MS) {
      this.#shift();
      return false;
    }
    const since = performance.now();
    this.canvas.style.transform = "";
    this.#prepare(world);
    this.#paint(world);
    this.drawn = { camera: camera.version, world: state, at: now, tookMs: performance.now() - since, scale: camera.scale, x: camera.x, y: camera.y };
    return true;
  }

  /** Show the last drawing where the camera is now. */
  #shift() {
    const { camera, drawn } = this;
    const factor = camera.scale / drawn.scale;
    this.canvas.style.transform = `translate(${camera.x - drawn.x * factor}px, ${camera.y - drawn.y * factor}px) scale(${factor})`;
  }

  /** @param {World} world */
  #prepare(world) {
    const { map } = world;
    if (this.map !== map) {
      this.map = map;
      this.territory = new Territory(map);
      this.order = byImportance(map);
      this.painted.world = null;
    }
    this.colours = this.theme.factions(world.colours);
    const { painted, theme } = this;
    if (painted.world === world && painted.owners === world.ownerVersion && painted.theme === theme.version) return;
    this.territory?.paint(world.owner, this.colours, theme.halo);
    this.painted = { world, owners: world.ownerVersion, theme: theme.version };
  }

  /** @param {World} world */
  #paint(world) {
    const { context, camera } = this;
    const ratio = this.canvas.width / camera.width;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.fillStyle = this.theme.named.ground;
    context.fillRect(0, 0, camera.width, camera.height);
    const territory = /** @type {Territory} */ (this.territory);
    const { scale } = camera;
    context.imageSmoothingEnabled = true;
    context.imageSmoothingQuality = "low";
    context.drawImage(
      territory.canvas,
      territory.left * scale + camera.x,
      territory.top * scale + camera.y,
      territory.wide * territory.cell * scale,
      territory.high * territory.cell * scale,
    );
    this.#lanes(world);
    this.#systems(world, ratio);
    if (camera.scale >= NAMES_FROM) this.#labels(world);
  }

  /** @param {World} world */
  #lanes({ map, owner }) {
    const { context, camera, colours } = this;
    const { x, y, laneA, laneB } = map;
    const coloured = camera.scale >= COLOURED_LANES_FROM;
    /** @type {Path2D[]} by owner, from -1 on */
    const paths = Array.from({ length: coloured ? colours.length + 1 : 1 }, () => new Path2D());
    for (let lane = 0; lane < laneA.length; lane++) {
      const a = laneA[lane];
      const b = laneB[lane];
      const [fromX, fromY] = [x[a] * camera.scale + camera.x, y[a] * camera.scale + camera.y];
      const [toX, toY] = [x[b] * camera.scale + camera.x, y[b] * camera.scale + camera.y];
      if ((fromX < 0 && toX < 0) || (fromY < 0 && toY < 0)) continue;
      if ((fromX > camera.width && toX > camera.width) || (fromY > camera.height && toY > camera.height)) continue;
      const path = paths[coloured && owner[a] === owner[b] ? owner[a] + 1 : 0];
      path.moveTo(fromX, fromY);
      path.lineTo(toX, toY);
    }
    const width = Math.min(Math.max(camera.scale / 7, 0.6), 2);
    context.globalAlpha = Math.min(Math.max(camera.scale / 3, 0.35), 1);
    paths.forEach((path, row) => {
      context.lineWidth = row ? width * 1.5 : width;
      context.strokeStyle = row ? css(colours[row - 1], 0.5) : this.theme.named.lane;
      context.stroke(path);
    });
    context.globalAlpha = 1;
  }

  /** The radius of a system that does not grow, in CSS pixels. */
  get radius() {
    return Math.min(Math.max(this.camera.scale * 0.95, 1.3), 15);
  }

  /** @param {World} world @param {number} ratio */
  #systems({ map, owner, colours }, ratio) {
    const { context, camera } = this;
    const radius = this.radius * ratio;
    const { ground, neutral } = this.theme.named;
    const key = `${radius.toFixed(1)} ${colours} ${this.theme.version}`;
    if (this.sheet.key !== key) this.sheet = { key, made: systemSheet([null, ...this.colours], { radius, ground, neutral }) };
    const { canvas, size } = this.sheet.made;
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
  #labels({ map, ships, owner }) {
    const { context, camera } = this;
    const named = camera.scale >= NAMES_FROM * 1.6;
    const { ink, quiet, ground } = this.theme.named;
    const size = Math.min(10 + camera.scale / 6, 15);
    const [strong, plain] = [`600 ${size + 1}px system-ui, sans-serif`, `${size}px system-ui, sans-serif`];
    context.textAlign = "center";
    context.lineJoin = "round";
    context.lineWidth = 3;
    context.strokeStyle = ground;
    const chosen = labelled(map, this.order, camera, { size, reach: this.radius, named });
    const label = (/** @type {string} */ text, /** @type {number} */ x, /** @type {number} */ y) => {
      context.strokeText(text, x, y);
      context.fillText(text, x, y);
    };
    context.font = strong;
    context.fillStyle = ink;
    for (const system of chosen) {
      const reach = radiusOf(this.radius, Math.min(map.growth[system], GRADES - 1));
      label(short(ships[system]), map.x[system] * camera.scale + camera.x, map.y[system] * camera.scale + camera.y - reach - 4);
    }
    if (!named) return;
    context.font = plain;
    // A faction's own colour on its own territory is hard to read.
    const names = this.colours.map((colour) => css(mixed(colour, rgb(ink), 0.6)));
    for (const system of chosen) {
      const reach = radiusOf(this.radius, Math.min(map.growth[system], GRADES - 1));
      context.fillStyle = owner[system] < 0 ? quiet : names[owner[system]];
      label(map.names[system], map.x[system] * camera.scale + camera.x, map.y[system] * camera.scale + camera.y + reach + size + 1);
    }
  }
}
