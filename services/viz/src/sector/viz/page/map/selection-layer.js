/** The selection layer: rings around the selected and the hovered object, and the arrow of an order that is being dragged. */

import { fleetPosition } from "./fleet-layer.js";

/** @typedef {import("../ui/theme.js").Theme} Theme */
/** @typedef {import("../world/world.js").World} World */
/** @typedef {import("./camera.js").Camera} Camera */
/** @typedef {import("./camera.js").Point} Point */
/** @typedef {{kind: "system" | "fleet", id: number}} Selection a system's row, or a fleet's number */
/** @typedef {{from: number, to: Point, target: number | null, text: string}} OrderArrow */

export class SelectionLayer {
  /** @param {CanvasRenderingContext2D} context @param {Camera} camera @param {Theme} theme */
  constructor(context, camera, theme) {
    this.context = context;
    this.camera = camera;
    this.theme = theme;
    /** @type {Selection | null} */
    this.selection = null;
    /** @type {Selection | null} */
    this.hover = null;
    /** @type {OrderArrow | null} */
    this.orderArrow = null;
    /** Increases with each change. */
    this.version = 0;
  }

  /** @param {Partial<Pick<SelectionLayer, "selection" | "hover" | "orderArrow">>} change */
  set(change) {
    Object.assign(this, change);
    this.version++;
  }

  /** @param {World} world @param {number} time @param {number} radius of a system */
  draw(world, time, radius) {
    const { context, theme } = this;
    if (this.orderArrow) this.#drawOrderArrow(world, this.orderArrow);
    for (const [selection, width] of /** @type {[Selection | null, number][]} */ ([[this.hover, 1.25], [this.selection, 2.25]])) {
      const position = selection && selectionPosition(world, selection, time);
      if (!position) continue;
      context.beginPath();
      context.arc(position.x * this.camera.scale + this.camera.x, position.y * this.camera.scale + this.camera.y, radius * 1.4 + 5, 0, 2 * Math.PI);
      context.lineWidth = width;
      context.strokeStyle = theme.colours.accent;
      context.stroke();
    }
  }

  /** @param {World} world @param {OrderArrow} aim */
  #drawOrderArrow({ map }, { from, to, target, text }) {
    const { context, camera, theme } = this;
    const [fromX, fromY] = [map.x[from] * camera.scale + camera.x, map.y[from] * camera.scale + camera.y];
    const [toX, toY] = target === null ? [to.x, to.y] : [map.x[target] * camera.scale + camera.x, map.y[target] * camera.scale + camera.y];
    context.beginPath();
    context.moveTo(fromX, fromY);
    context.lineTo(toX, toY);
    context.setLineDash(target === null ? [4, 6] : [9, 5]);
    context.lineWidth = target === null ? 1.5 : 3;
    context.strokeStyle = theme.colours.accent;
    context.stroke();
    context.setLineDash([]);
    if (!text) return;
    context.font = "600 13px system-ui, sans-serif";
    context.textAlign = "center";
    context.lineWidth = 4;
    context.strokeStyle = theme.colours.background;
    context.strokeText(text, toX, toY - 22);
    context.fillStyle = theme.colours.text;
    context.fillText(text, toX, toY - 22);
  }
}

/**
 * Return the position of the selected object, or null if it no longer exists.
 * @param {World} world
 * @param {Selection} selection
 * @param {number} time
 * @returns {Point | null}
 */
export function selectionPosition(world, { kind, id }, time) {
  if (kind === "system") return id < world.map.count ? { x: world.map.x[id], y: world.map.y[id] } : null;
  const row = world.fleets.columns.id.values.indexOf(id);
  return row < 0 ? null : fleetPosition(world, row, time);
}
