/** The view of the map: a base layer, and layers for fleets, effects and selection above it. Unchanged frames are not drawn. */

import { contextOf } from "../ui/canvas.js";
import { BaseLayer } from "./base-layer.js";
import { Camera } from "./camera.js";
import { EffectLayer } from "./effect-layer.js";
import { fleetPosition, FleetLayer } from "./fleet-layer.js";
import { SelectionLayer } from "./selection-layer.js";

/** @typedef {import("../ui/theme.js").Theme} Theme */
/** @typedef {import("../world/world.js").World} World */
/** @typedef {import("./selection-layer.js").Selection} Selection */

const PICK_RADIUS_PX = 18;

export class MapView {
  /** @param {HTMLCanvasElement} baseCanvas @param {HTMLCanvasElement} canvas of the layers above the base layer @param {Theme} theme */
  constructor(baseCanvas, canvas, theme) {
    this.canvas = canvas;
    this.theme = theme;
    this.camera = new Camera();
    this.context = contextOf(canvas);
    this.baseLayer = new BaseLayer(baseCanvas, this.camera, theme);
    this.fleetLayer = new FleetLayer(this.context, this.camera, theme);
    this.effectLayer = new EffectLayer(this.context, this.camera, theme);
    this.selectionLayer = new SelectionLayer(this.context, this.camera, theme);
    this.drawnState = "";
    /** The number of frames so far, and of fleets in the last one. */
    this.frameCount = 0;
    this.fleetCount = 0;
    new ResizeObserver(() => this.#resize()).observe(canvas);
    this.#resize();
  }

  #resize() {
    const { clientWidth: width, clientHeight: height } = this.canvas;
    const ratio = Math.min(window.devicePixelRatio || 1, 3);
    for (const canvas of [this.baseLayer.canvas, this.canvas]) {
      canvas.width = Math.max(Math.round(width * ratio), 1);
      canvas.height = Math.max(Math.round(height * ratio), 1);
    }
    this.camera.resize(Math.max(width, 1), Math.max(height, 1));
    this.camera.version++;
    this.drawnState = "";
  }

  /**
   * Draw a frame.
   * @param {World} world
   * @param {number} time in ticks
   * @param {number} now
   */
  draw(world, time, now) {
    this.camera.animate(now);
    this.baseLayer.draw(world, now);
    const isMoving = this.fleetCount > 0 || world.fleets.rows > 0 || this.effectLayer.active.length > 0;
    const state = `${world.map.id} ${isMoving ? time.toFixed(4) : world.tick} ${this.camera.version} ${this.selectionLayer.version} ${this.theme.version} ${this.effectLayer.active.length ? now : ""}`;
    if (state === this.drawnState) return;
    this.drawnState = state;
    if (!this.frameCount++) performance.mark("first frame");
    const ratio = this.canvas.width / this.camera.width;
    this.context.setTransform(ratio, 0, 0, ratio, 0, 0);
    this.context.clearRect(0, 0, this.camera.width, this.camera.height);
    this.fleetCount = this.fleetLayer.draw(world, time, ratio);
    this.effectLayer.draw(world, now);
    this.selectionLayer.draw(world, time, this.baseLayer.radius);
  }

  /**
   * Return the system or fleet at a point of the picture, or null.
   * @param {World} world
   * @param {number} time
   * @param {number} px
   * @param {number} py
   * @param {boolean} [onlySystems]
   * @returns {Selection | null}
   */
  pick(world, time, px, py, onlySystems = false) {
    const { camera } = this;
    const { x, y } = camera.toWorld(px, py);
    let [nearest, limit] = [/** @type {Selection | null} */ (null), Math.max(PICK_RADIUS_PX, this.baseLayer.radius * 1.3) / camera.scale];
    const { map, fleets } = world;
    for (let system = 0; system < map.count; system++) {
      const distance = Math.hypot(map.x[system] - x, map.y[system] - y);
      if (distance < limit) [nearest, limit] = [{ kind: "system", id: system }, distance];
    }
    if (onlySystems) return nearest;
    for (let fleet = 0; fleet < fleets.rows; fleet++) {
      const position = fleetPosition(world, fleet, time);
      // Fleets are small, so they must be nearer than systems to be picked.
      const distance = Math.hypot(position.x - x, position.y - y) * 1.5;
      if (distance < limit) [nearest, limit] = [{ kind: "fleet", id: fleets.columns.id.values[fleet] }, distance];
    }
    return nearest;
  }
}
