/** Gestures: drag pans, wheel and pinch zoom, a click picks. If `canStartOrder` accepts its start, a drag is an order. Keys pan and zoom. */

/** @typedef {import("./camera.js").Camera} Camera */
/** @typedef {import("./camera.js").Point} Point */
/**
 * @typedef {object} GestureHandlers
 * @property {(x: number, y: number) => void} pick
 * @property {(x: number, y: number) => void} hover
 * @property {(x: number, y: number) => boolean} canStartOrder
 * @property {(x: number, y: number) => void} dragOrder
 * @property {(x: number, y: number) => void} dropOrder
 * @property {() => void} cancelOrder
 */

const DRAG_THRESHOLD_PX = 5;
const PAN_STEP_PX = 60;

export class Gestures {
  /** @param {HTMLElement} element @param {Camera} camera @param {GestureHandlers} handlers */
  constructor(element, camera, handlers) {
    this.element = element;
    this.camera = camera;
    this.handlers = handlers;
    /** @type {Map<number, Point>} */
    this.pointers = new Map();
    this.dragDistance = 0;
    this.isOrder = false;
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
    this.pointers.set(event.pointerId, pointOf(event));
    if (this.pointers.size > 1) {
      this.#cancelDrag();
      return;
    }
    this.dragDistance = 0;
    this.isOrder = this.handlers.canStartOrder(event.offsetX, event.offsetY);
  }

  /** @param {PointerEvent} event */
  #onMove(event) {
    const before = this.pointers.get(event.pointerId);
    const now = pointOf(event);
    if (!before) {
      this.handlers.hover(now.x, now.y);
      return;
    }
    this.pointers.set(event.pointerId, now);
    this.dragDistance += Math.hypot(now.x - before.x, now.y - before.y);
    if (this.pointers.size === 2) this.#pinch(event.pointerId, before, now);
    else if (this.dragDistance < DRAG_THRESHOLD_PX) return;
    else if (this.isOrder) this.handlers.dragOrder(now.x, now.y);
    else this.camera.pan(now.x - before.x, now.y - before.y);
  }

  /** @param {number} id @param {Point} before @param {Point} now */
  #pinch(id, before, now) {
    const [other] = [...this.pointers].filter(([each]) => each !== id).map(([, point]) => point);
    const [distanceBefore, distanceNow] = [before, now].map((point) => Math.hypot(point.x - other.x, point.y - other.y));
    this.camera.pan((now.x - before.x) / 2, (now.y - before.y) / 2);
    if (distanceBefore > 0) this.camera.zoom(distanceNow / distanceBefore, (now.x + other.x) / 2, (now.y + other.y) / 2);
  }

  /** @param {PointerEvent} event */
  #onUp(event) {
    if (!this.pointers.delete(event.pointerId) || this.pointers.size) return;
    const { isOrder } = this;
    this.isOrder = false;
    if (this.dragDistance < DRAG_THRESHOLD_PX) {
      this.handlers.cancelOrder();
      this.handlers.pick(event.offsetX, event.offsetY);
    } else if (isOrder) this.handlers.dropOrder(event.offsetX, event.offsetY);
  }

  /** @param {PointerEvent} event */
  #onCancel(event) {
    this.pointers.delete(event.pointerId);
    this.#cancelDrag();
  }

  #cancelDrag() {
    this.dragDistance = DRAG_THRESHOLD_PX;
    if (this.isOrder) this.handlers.cancelOrder();
    this.isOrder = false;
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
      ArrowLeft: () => camera.pan(PAN_STEP_PX, 0),
      ArrowRight: () => camera.pan(-PAN_STEP_PX, 0),
      ArrowUp: () => camera.pan(0, PAN_STEP_PX),
      ArrowDown: () => camera.pan(0, -PAN_STEP_PX),
      Escape: () => this.#cancelDrag(),
    };
    if (!keys[event.key]) return;
    event.preventDefault();
    keys[event.key]();
  }
}

/** @param {PointerEvent} event @returns {Point} */
function pointOf(event) {
  return { x: event.offsetX, y: event.offsetY };
}
