/** The camera: which part of the world is seen. A place p of the world is at p * scale + (x, y) of the picture, in CSS pixels. */

const MARGIN = 48;
const CLOSEST = 160;
const FLIGHT_MS = 450;

/** @typedef {{left: number, right: number, top: number, bottom: number}} Box */
/** @typedef {{x: number, y: number}} Place */

export class Camera {
  constructor() {
    this.scale = 1;
    this.x = 0;
    this.y = 0;
    this.width = 1;
    this.height = 1;
    /** Counts its moves. */
    this.version = 0;
    /** Whether somebody moved it; until then it fits the world. */
    this.touched = false;
    /** @type {Box | null} */
    this.bounds = null;
    /** What lies over the edges of the picture, in CSS pixels. */
    this.covered = { left: 0, right: 0, top: 0, bottom: 0 };
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
    // What was in the middle stays there.
    if (this.touched) this.show(view);
    else this.fit();
  }

  /** @param {Box} bounds */
  setBounds(bounds) {
    this.bounds = bounds;
    if (!this.touched) this.fit();
  }

  /** See all of the world. */
  fit() {
    this.touched = false;
    if (!this.bounds) return;
    this.flight = null;
    this.scale = this.#fitting();
    this.#centre((this.bounds.left + this.bounds.right) / 2, (this.bounds.top + this.bounds.bottom) / 2);
  }

  #fitting() {
    const { left, right, top, bottom } = /** @type {Box} */ (this.bounds);
    const wide = this.width - this.covered.left - this.covered.right - 2 * MARGIN;
    const high = this.height - this.covered.top - this.covered.bottom - 2 * MARGIN;
    return Math.max(Math.min(wide / Math.max(right - left, 1), high / Math.max(bottom - top, 1), CLOSEST / 2), 0.01);
  }

  /** @param {number} x @param {number} y */
  #centre(x, y) {
    this.x = (this.width + this.covered.left - this.covered.right) / 2 - x * this.scale;
    this.y = (this.height + this.covered.top - this.covered.bottom) / 2 - y * this.scale;
    this.version++;
  }

  /** The place in the middle of the picture, and the scale. */
  get view() {
    return [
      ((this.width + this.covered.left - this.covered.right) / 2 - this.x) / this.scale,
      ((this.height + this.covered.top - this.covered.bottom) / 2 - this.y) / this.scale,
      this.scale,
    ];
  }

  /** @param {number[]} view as `view` has it */
  show([x, y, scale]) {
    this.touched = true;
    this.flight = null;
    this.scale = this.#within(scale);
    this.#centre(x, y);
  }

  /**
   * Move there, so that one sees where that is.
   * @param {Place} place
   * @param {number} scale at least
   */
  flyTo(place, scale) {
    const to = [place.x, place.y, this.#within(Math.max(scale, this.scale))];
    if (matchMedia("(prefers-reduced-motion: reduce)").matches) this.show(to);
    else this.flight = { from: this.view, to, since: performance.now() };
  }

  /** @param {number} now */
  animate(now) {
    const { flight } = this;
    if (!flight) return;
    // The time of a frame is that of its beginning, which may lie before the event that began the flight.
    const part = Math.min(Math.max((now - flight.since) / FLIGHT_MS, 0), 1);
    const eased = 1 - (1 - part) ** 3;
    const view = flight.to.map((to, at) => flight.from[at] + (to - flight.from[at]) * eased);
    this.show(view);
    if (part < 1) this.flight = flight;
  }

  /** @param {number} scale */
  #within(scale) {
    return Math.min(Math.max(scale, this.bounds ? this.#fitting() / 3 : 0.01), CLOSEST);
  }

  /** @param {number} factor @param {number} x @param {number} y what stays where it is, in the picture */
  zoom(factor, x, y) {
    const scale = this.#within(this.scale * factor);
    this.x = x - ((x - this.x) * scale) / this.scale;
    this.y = y - ((y - this.y) * scale) / this.scale;
    this.scale = scale;
    this.#moved();
  }

  /** @param {number} dx @param {number} dy in CSS pixels */
  pan(dx, dy) {
    this.x += dx;
    this.y += dy;
    this.#moved();
  }

  #moved() {
    this.touched = true;
    this.flight = null;
    this.version++;
  }

  /** @param {number} x @param {number} y in the picture */
  place(x, y) {
    return { x: (x - this.x) / this.scale, y: (y - this.y) / this.scale };
  }
}
