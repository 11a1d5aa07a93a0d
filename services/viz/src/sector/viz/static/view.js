/** The view: which part of the world the canvas shows. Drag pans, the wheel zooms, 0 fits, + and - zoom, arrows pan. */

const MARGIN = 70;

export class View {
  /** @param {HTMLCanvasElement} canvas */
  constructor(canvas) {
    this.canvas = canvas;
    this.scale = 1;
    this.x = 0;
    this.y = 0;
    this.touched = false;
    /** @type {{left: number, top: number, right: number, bottom: number} | null} */
    this.bounds = null;
    canvas.addEventListener("wheel", (event) => this.#onWheel(event), { passive: false });
    canvas.addEventListener("pointermove", (event) => this.#onDrag(event));
    canvas.addEventListener("pointerdown", (event) => canvas.setPointerCapture(event.pointerId));
    canvas.addEventListener("keydown", (event) => this.#onKey(event));
  }

  /** @param {Iterable<{x: number, y: number}>} points */
  setBounds(points) {
    const all = [...points];
    const xs = all.map((p) => p.x);
    const ys = all.map((p) => p.y);
    this.bounds = { left: Math.min(...xs), right: Math.max(...xs), top: Math.min(...ys), bottom: Math.max(...ys) };
    if (!this.touched) this.fit();
  }

  fit() {
    const box = this.bounds;
    if (!box) return;
    const { clientWidth: width, clientHeight: height } = this.canvas;
    const wide = Math.max(box.right - box.left, 1);
    const high = Math.max(box.bottom - box.top, 1);
    this.scale = Math.max(Math.min((width - 2 * MARGIN) / wide, (height - 2 * MARGIN) / high), 0.01);
    this.x = (width - (box.left + box.right) * this.scale) / 2;
    this.y = (height - (box.top + box.bottom) * this.scale) / 2;
  }

  /** Fit the canvas to its element; the picture is as sharp as the screen. */
  resize() {
    const ratio = window.devicePixelRatio || 1;
    const { clientWidth, clientHeight } = this.canvas;
    const width = Math.round(clientWidth * ratio);
    const height = Math.round(clientHeight * ratio);
    if (this.canvas.width === width && this.canvas.height === height) return;
    this.canvas.width = width;
    this.canvas.height = height;
    if (!this.touched) this.fit();
  }

  /** @param {{x: number, y: number}} point */
  place(point) {
    return { x: point.x * this.scale + this.x, y: point.y * this.scale + this.y };
  }

  /** @param {number} factor @param {number} x @param {number} y */
  zoom(factor, x, y) {
    const scale = Math.min(Math.max(this.scale * factor, 0.05), 200);
    this.x = x - ((x - this.x) * scale) / this.scale;
    this.y = y - ((y - this.y) * scale) / this.scale;
    this.scale = scale;
    this.touched = true;
  }

  /** @param {WheelEvent} event */
  #onWheel(event) {
    event.preventDefault();
    this.zoom(Math.exp(-event.deltaY / 500), event.offsetX, event.offsetY);
  }

  /** @param {PointerEvent} event */
  #onDrag(event) {
    if (!event.buttons) return;
    this.x += event.movementX;
    this.y += event.movementY;
    this.touched = true;
  }

  /** @param {KeyboardEvent} event */
  #onKey(event) {
    const { clientWidth: width, clientHeight: height } = this.canvas;
    /** @type {Record<string, () => void>} */
    const keys = {
      0: () => {
        this.touched = false;
        this.fit();
      },
      "+": () => this.zoom(1.25, width / 2, height / 2),
      "-": () => this.zoom(0.8, width / 2, height / 2),
      ArrowLeft: () => (this.x += 40),
      ArrowRight: () => (this.x -= 40),
      ArrowUp: () => (this.y += 40),
      ArrowDown: () => (this.y -= 40),
    };
    if (!keys[event.key]) return;
    event.preventDefault();
    if (event.key !== "0") this.touched = true;
    keys[event.key]();
  }
}
