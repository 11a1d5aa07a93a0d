/** The camera: the visible part of the world. A point p of the world is drawn at p * scale + (x, y), in CSS pixels. */

const MARGIN = 48;
const MAX_SCALE = 160;
const FLIGHT_MS = 450;

/** @typedef {{left: number, right: number, top: number, bottom: number}} Bounds */
/** @typedef {{x: number, y: number}} Point */

export class Camera {
  constructor() {
    this.scale = 1;
    this.x = 0;
    this.y = 0;
    this.width = 1;
    this.height = 1;
    /** Increases with each move. */
    this.version = 0;
    /** Whether the user moved it. Until then it fits the world. */
    this.isMoved = false;
    /** @type {Bounds | null} */
    this.bounds = null;
    /** The widths of the panels over the edges of the picture, in CSS pixels. */
    this.insets = { left: 0, right: 0, top: 0, bottom: 0 };
    /** @type {{from: number[], to: number[], since: number} | null} */
    this.flight = null;
  }

  /** @param {number} width @param {number} height */
  resize(width, height) {
    if (width === this.width && height === this.height) return;
    const { view } = this;
    this.width = width;
    this.height = height;
    this.version++;
    // The middle of the view stays in the middle.
    if (this.isMoved) this.setView(view);
    else this.fit();
  }

  /** @param {Bounds} bounds */
  setBounds(bounds) {
    this.bounds = bounds;
    if (!this.isMoved) this.fit();
  }

  /** Show the whole world. */
  fit() {
    this.isMoved = false;
    if (!this.bounds) return;
    this.flight = null;
    this.scale = this.#fitScale();
    this.#centre((this.bounds.left + this.bounds.right) / 2, (this.bounds.top + this.bounds.bottom) / 2);
  }

  #fitScale() {
    const { left, right, top, bottom } = /** @type {Bounds} */ (this.bounds);
    const width = this.width - this.insets.left - this.insets.right - 2 * MARGIN;
    const height = this.height - this.insets.top - this.insets.bottom - 2 * MARGIN;
    return Math.max(Math.min(width / Math.max(right - left, 1), height / Math.max(bottom - top, 1), MAX_SCALE / 2), 0.01);
  }

  /** @param {number} x @param {number} y */
  #centre(x, y) {
    this.x = (this.width + this.insets.left - this.insets.right) / 2 - x * this.scale;
    this.y = (this.height + this.insets.top - this.insets.bottom) / 2 - y * this.scale;
    this.version++;
  }

  /** The point in the middle of the picture, and the scale. */
  get view() {
    return [
      ((this.width + this.insets.left - this.insets.right) / 2 - this.x) / this.scale,
      ((this.height + this.insets.top - this.insets.bottom) / 2 - this.y) / this.scale,
      this.scale,
    ];
  }

  /** @param {number[]} view a value of `view` */
  setView([x, y, scale]) {
    this.isMoved = true;
    this.flight = null;
    this.scale = this.#clampScale(scale);
    this.#centre(x, y);
  }

  /**
   * Fly to a point, so that the user sees where it is.
   * @param {Point} point
   * @param {number} scale at least
   */
  flyTo(point, scale) {
    const to = [point.x, point.y, this.#clampScale(Math.max(scale, this.scale))];
    if (matchMedia("(prefers-reduced-motion: reduce)").matches) this.setView(to);
    else this.flight = { from: this.view, to, since: performance.now() };
  }

  /** @param {number} now */
  animate(now) {
    const { flight } = this;
    if (!flight) return;
    // The time of a frame is that of its start, which may be before the event that started the flight.
    const progress = Math.min(Math.max((now - flight.since) / FLIGHT_MS, 0), 1);
    const eased = 1 - (1 - progress) ** 3;
    const view = flight.to.map((to, index) => flight.from[index] + (to - flight.from[index]) * eased);
    this.setView(view);
    if (progress < 1) this.flight = flight;
  }

  /** @param {number} scale */
  #clampScale(scale) {
    return Math.min(Math.max(scale, this.bounds ? this.#fitScale() / 3 : 0.01), MAX_SCALE);
  }

  /** @param {number} factor @param {number} x @param {number} y the fixed point, in the picture */
  zoom(factor, x, y) {
    const scale = this.#clampScale(this.scale * factor);
    this.x = x - ((x - this.x) * scale) / this.scale;
    this.y = y - ((y - this.y) * scale) / this.scale;
    this.scale = scale;
    this.#onMove();
  }

  /** @param {number} dx @param {number} dy in CSS pixels */
  pan(dx, dy) {
    this.x += dx;
    this.y += dy;
    this.#onMove();
  }

  #onMove() {
    this.isMoved = true;
    this.flight = null;
    this.version++;
  }

  /** @param {number} x @param {number} y in the picture */
  toWorld(x, y) {
    return { x: (x - this.x) / this.scale, y: (y - this.y) / this.scale };
  }
}
