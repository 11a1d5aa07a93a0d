/** Gestures: drag pans, wheel and pinch zoom, a click picks; a drag from where `canAim` says so aims instead. Keys do the same. */

/** @typedef {import("./camera.js").Camera} Camera */
/** @typedef {import("./camera.js").Place} Place */
/**
 * @typedef {object} Heard
 * @property {(x: number, y: number) => void} pick
 * @property {(x: number, y: number) => void} hover
 * @property {(x: number, y: number) => boolean} canAim
 * @property {(x: number, y: number) => void} aim
 * @property {(x: number, y: number) => void} release
 * @property {() => void} cancel
 */

const SLOP = 5;
const STEP = 60;

export class Gestures {
  /** @param {HTMLElement} element @param {Camera} camera @param {Heard} heard */
  constructor(element, camera, heard) {
    this.element = element;
    this.camera = camera;
    this.heard = heard;
    /** @type {Map<number, Place>} */
    this.pointers = new Map();
    this.travelled = 0;
    this.aiming = false;
    element.addEventListener("wheel", (event) => this.#onWheel(event), { passive: false });
    element.addEventListener("pointerdown", (event) => this.#onDown(event));
    element.addEventListener("pointermove", (event) => this.#onMove(event));
    element.addEventListener("pointerup", (event) => this.#onUp(event));
    element.addEventListener("pointercancel", (event) => this.#onCancel(event));
    element.addEventListener("dblclick", (event) => camera.zoom(2, event.offsetX, event.offsetY));
    element.addEventListener("keydown", (event) => this.#onKey(event));
  }

  /** @param {WheelEvent} event */
  #onWheel(event) {
    event.preventDefault();
    const lines = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 16 : 1;
    this.camera.zoom(Math.exp((-event.deltaY * lines) / (event.ctrlKey ? 100 : 500)), event.offsetX, event.offsetY);
  }

  /** @param {PointerEvent} event */
  #onDown(event) {
    if (event.button !== 0) return;
    this.element.setPointerCapture(event.pointerId);
    this.pointers.set(event.pointerId, at(event));
    if (this.pointers.size > 1) {
      this.#abandon();
      return;
    }
    this.travelled = 0;
    this.aiming = this.heard.canAim(event.offsetX, event.offsetY);
  }

  /** @param {PointerEvent} event */
  #onMove(event) {
    const before = this.pointers.get(event.pointerId);
    const now = at(event);
    if (!before) {
      this.heard.hover(now.x, now.y);
      return;
    }
    this.pointers.set(event.pointerId, now);
    this.travelled += Math.hypot(now.x - before.x, now.y - before.y);
    if (this.pointers.size === 2) this.#pinch(event.pointerId, before, now);
    else if (this.travelled < SLOP) return;
    else if (this.aiming) this.heard.aim(now.x, now.y);
    else this.camera.pan(now.x - before.x, now.y - before.y);
  }

  /** @param {number} id @param {Place} before @param {Place} now */
  #pinch(id, before, now) {
    const [other] = [...this.pointers].filter(([each]) => each !== id).map(([, place]) => place);
    const [was, is] = [before, now].map((place) => Math.hypot(place.x - other.x, place.y - other.y));
    this.camera.pan((now.x - before.x) / 2, (now.y - before.y) / 2);
    if (was > 0) this.camera.zoom(is / was, (now.x + other.x) / 2, (now.y + other.y) / 2);
  }

  /** @param {PointerEvent} event */
  #onUp(event) {
    if (!this.pointers.delete(event.pointerId) || this.pointers.size) return;
    const { aiming } = this;
    this.aiming = false;
    if (this.travelled < SLOP) {
      this.heard.cancel();
      this.heard.pick(event.offsetX, event.offsetY);
    } else if (aiming) this.heard.release(event.offsetX, event.offsetY);
  }

  /** @param {PointerEvent} event */
  #onCancel(event) {
    this.pointers.delete(event.pointerId);
    this.#abandon();
  }

  #abandon() {
    this.travelled = SLOP;
    if (this.aiming) this.heard.cancel();
    this.aiming = false;
  }

  /** @param {KeyboardEvent} event */
  #onKey(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const { camera } = this;
    /** @type {Record<string, () => void>} */
    const keys = {
      0: () => camera.fit(),
      "+": () => camera.zoom(1.25, camera.width / 2, camera.height / 2),
      "=": () => camera.zoom(1.25, camera.width / 2, camera.height / 2),
      "-": () => camera.zoom(0.8, camera.width / 2, camera.height / 2),
      ArrowLeft: () => camera.pan(STEP, 0),
      ArrowRight: () => camera.pan(-STEP, 0),
      ArrowUp: () => camera.pan(0, STEP),
      ArrowDown: () => camera.pan(0, -STEP),
      Escape: () => this.#abandon(),
    };
    if (!keys[event.key]) return;
    event.preventDefault();
    keys[event.key]();
  }
}

/** @param {PointerEvent} event @returns {Place} */
function at(event) {
  return { x: event.offsetX, y: event.offsetY };
}
