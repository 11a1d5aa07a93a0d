/** The map: the ground below, and what moves above it. A frame in which nothing changed costs nothing. */

import { Camera } from "./camera.js";
import { contextOf } from "../ui/canvas.js";
import { Effects } from "./effect-layer.js";
import { Ground } from "./base-layer.js";
import { Marks } from "./selection-layer.js";
import { placeOf, Traffic } from "./fleet-layer.js";

/** @typedef {import("../ui/theme.js").Theme} Theme */
/** @typedef {import("../world/world.js").World} World */
/** @typedef {import("./selection-layer.js").Selection} Selection */

const NEAR_PX = 18;

export class MapView {
  /** @param {HTMLCanvasElement} ground @param {HTMLCanvasElement} traffic @param {Theme} theme */
  constructor(ground, traffic, theme) {
    this.canvas = traffic;
    this.theme = theme;
    this.camera = new Camera();
    this.context = contextOf(traffic);
    this.ground = new Ground(ground, this.camera, theme);
    this.traffic = new Traffic(this.context, this.camera, theme);
    this.effects = new Effects(this.context, this.camera, theme);
    this.marks = new Marks(this.context, this.camera, theme);
    this.last = "";
    /** Frames drawn, and fleets in the last one. */
    this.frames = 0;
    this.fleets = 0;
    new ResizeObserver(() => this.#resize()).observe(traffic);
    this.#resize();
  }

  #resize() {
    const { clientWidth: width, clientHeight: height } = this.canvas;
    const ratio = Math.min(window.devicePixelRatio || 1, 3);
    for (const canvas of [this.ground.canvas, this.canvas]) {
      canvas.width = Math.max(Math.round(width * ratio), 1);
      canvas.height = Math.max(Math.round(height * ratio), 1);
    }
    this.camera.resize(Math.max(width, 1), Math.max(height, 1));
    this.camera.version++;
    this.last = "";
  }

  /**
   * Draw a frame.
   * @param {World} world
   * @param {number} time in ticks
   * @param {number} now
   */
  draw(world, time, now) {
    this.camera.animate(now);
    this.ground.draw(world, now);
    const moves = this.fleets > 0 || world.fleets.rows > 0 || this.effects.shown.length > 0;
    const state = `${world.map.id} ${moves ? time.toFixed(4) : world.tick} ${this.camera.version} ${this.marks.version} ${this.theme.version} ${this.effects.shown.length ? now : ""}`;
    if (state === this.last) return;
    this.last = state;
    if (!this.frames++) performance.mark("first frame");
    const ratio = this.canvas.width / this.camera.width;
    this.context.setTransform(ratio, 0, 0, ratio, 0, 0);
    this.context.clearRect(0, 0, this.camera.width, this.camera.height);
    this.fleets = this.traffic.draw(world, time, ratio);
    this.effects.draw(world, now);
    this.marks.draw(world, time, this.ground.radius);
  }

  /**
   * Return the system or the fleet nearest to a point of the picture, if one is near.
   * @param {World} world
   * @param {number} time
   * @param {number} px
   * @param {number} py
   * @param {boolean} [onlySystems]
   * @returns {Selection | null}
   */
  at(world, time, px, py, onlySystems = false) {
    const { camera } = this;
    const { x, y } = camera.place(px, py);
    let [best, nearest] = [/** @type {Selection | null} */ (null), Math.max(NEAR_PX, this.ground.radius * 1.3) / camera.scale];
    const { map, fleets } = world;
    for (let system = 0; system < map.count; system++) {
      const distance = Math.hypot(map.x[system] - x, map.y[system] - y);
      if (distance < nearest) [best, nearest] = [{ kind: "system", id: system }, distance];
    }
    if (onlySystems) return best;
    for (let fleet = 0; fleet < fleets.rows; fleet++) {
      const place = placeOf(world, fleet, time);
      // A fleet is small, and lies over what is below it.
      const distance = Math.hypot(place.x - x, place.y - y) * 1.5;
      if (distance < nearest) [best, nearest] = [{ kind: "fleet", id: fleets.columns.id.values[fleet] }, distance];
    }
    return best;
  }
}
