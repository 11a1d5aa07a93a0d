/** The connection: Socket.IO to the viz. It comes back by itself, and asks for the state anew after a gap. */

import "../vendor/socket.io.msgpack.min.js";
import { diagnose } from "./connection-check.js";
import { Emitter } from "../core/emitter.js";
import { readFrame } from "../codec/frame.js";
import { inflate, readTickUpdates } from "../codec/tick-update.js";
import { WorldMap } from "../world/world.js";

/** @typedef {import("../codec/tick-update.js").TickUpdate} TickUpdate */
/** @typedef {{sim: string, worker: string | null, map_id: string, map?: ArrayBuffer | Uint8Array, moment: ArrayBuffer | Uint8Array}} WorldMessage */

const BEAT_MS = 5_000;
const LOOK_MS = 1_000;
/** A connection that neither opens nor fails is given up after this. */
const OPEN_WITHIN_MS = 5_000;
const DIAGNOSE_AFTER_MS = 3_000;
const DIAGNOSE_EVERY_MS = 5_000;
/** Longer than all tries of Socket.IO itself: what is stuck then begins again. */
const START_AGAIN_MS = 15_000;

/**
 * @extends {Emitter<{
 *   world: {sim: string, map: WorldMap, update: TickUpdate},
 *   tick: TickUpdate,
 *   worker: string | null,
 *   fault: string,
 *   unreadable: undefined,
 *   change: undefined,
 * }>}
 */
export class Connection extends Emitter {
  /** @param {boolean} polling Whether it may poll where it cannot have a WebSocket. */
  constructor(polling) {
    super();
    this.sim = "";
    /** Milliseconds that the viz takes to answer. */
    this.roundTripMs = NaN;
    this.refusal = "";
    this.polling = polling;
    /** Why it is not connected, and what to do; empty while it is, or that is not known yet. */
    this.problem = "";
    this.disconnectedAt = NaN;
    this.startedAt = NaN;
    this.diagnosedAt = -Infinity;
    /** Since when it waits for the world of the sim. */
    this.watchedAt = performance.now();
    /** @type {WorldMap | null} */
    this.map = null;
    this.tick = -1;
    /** @type {Promise<void>} What came is read in its order. */
    this.reading = Promise.resolve();
    const path = new URL("ws", location.href).pathname;
    /** @type {import("../vendor/socket.io.msgpack.min.js").Socket} */
    this.socket = globalThis.io({ path, transports: polling ? ["websocket", "polling"] : ["websocket"], tryAllTransports: true, timeout: OPEN_WITHIN_MS, reconnectionDelay: 250, reconnectionDelayMax: 2_000, autoConnect: false });
    this.socket.on("connect", () => this.#connected());
    this.socket.on("disconnect", () => {
      this.disconnectedAt = this.startedAt = performance.now();
      this.emit("change", undefined);
    });
    this.socket.on("connect_error", (/** @type {Error} */ error) => this.#failed(error));
    this.socket.on("world", (/** @type {WorldMessage} */ message) => this.#queue(() => this.#world(message)));
    this.socket.on("tick", (/** @type {ArrayBuffer | Uint8Array} */ bytes) => this.#queue(() => this.#tick(bytes)));
    this.socket.on("worker", (/** @type {string | null} */ worker) => this.#queue(async () => this.emit("worker", worker)));
    this.socket.on("fault", (/** @type {string} */ fault) => this.#queue(async () => this.emit("fault", fault)));
    setInterval(() => this.#beat(), BEAT_MS);
    setInterval(() => this.#look(), LOOK_MS);
  }

  get connected() {
    return this.socket.connected;
  }

  /** @param {string} sim */
  watch(sim) {
    this.sim = sim;
    this.tick = -1;
    this.refusal = "";
    this.watchedAt = performance.now();
    if (this.socket.connected) {
      this.#ask();
      return;
    }
    if (Number.isNaN(this.disconnectedAt)) this.disconnectedAt = this.startedAt = performance.now();
    this.socket.connect();
  }

  #connected() {
    this.problem = "";
    this.disconnectedAt = this.startedAt = NaN;
    this.watchedAt = performance.now();
    this.#ask();
  }

  /** @param {Error} error */
  #failed(error) {
    // A WebSocket that hangs is no error that has Socket.IO try the next transport.
    if (this.polling && error?.message === "timeout") this.socket.io.opts.transports = ["polling", "websocket"];
    this.#diagnose();
  }

  /** See to it that a connection comes about, and that it brings the world. */
  #look() {
    const now = performance.now();
    if (this.socket.connected) {
      // The viz was asked, and has not answered with a world: ask again.
      if (this.tick < 0 && !this.refusal && now - this.watchedAt > BEAT_MS) {
        this.watchedAt = now;
        this.#ask();
      }
      return;
    }
    if (now - this.disconnectedAt > DIAGNOSE_AFTER_MS) this.#diagnose();
    // After a refusal Socket.IO does not try again by itself; and one that opens may never say so.
    if (now - this.startedAt > (this.socket.active ? START_AGAIN_MS : DIAGNOSE_AFTER_MS)) {
      this.startedAt = now;
      this.socket.disconnect().connect();
    }
  }

  async #diagnose() {
    const now = performance.now();
    if (now - this.diagnosedAt < DIAGNOSE_EVERY_MS) return;
    this.diagnosedAt = now;
    const problem = await diagnose(this.polling);
    if (this.socket.connected) return;
    this.problem = problem;
    this.emit("change", undefined);
  }

  #ask() {
    this.emit("change", undefined);
    this.socket.emit("watch", this.sim, this.map?.id ?? "", (/** @type {string | null} */ refusal) => {
      this.refusal = refusal ?? "";
      this.emit("change", undefined);
    });
    this.#beat();
  }

  #beat() {
    if (!this.socket.connected) return;
    const since = performance.now();
    this.socket.emit("beat", () => (this.roundTripMs = performance.now() - since));
  }

  /** @param {() => Promise<void>} read */
  #queue(read) {
    this.reading = this.reading.then(read).catch((error) => {
      console.error(error);
      this.emit("fault", `what came cannot be read: ${error.message}`);
      this.emit("unreadable", undefined);
    });
  }

  /** @param {WorldMessage} message */
  async #world(message) {
    if (message.sim !== this.sim) return;
    const mapFrame = message.map && readFrame(await inflate(new Uint8Array(message.map)));
    const [update] = readTickUpdates(await inflate(new Uint8Array(message.moment)));
    // Another sim may have been chosen meanwhile.
    if (message.sim !== this.sim) return;
    if (mapFrame) this.map = new WorldMap(mapFrame);
    if (this.map?.id !== message.map_id) {
      this.map = null;
      this.#ask();
      return;
    }
    this.tick = update.frame.meta.tick;
    this.emit("worker", message.worker);
    this.emit("world", { sim: message.sim, map: this.map, update });
  }

  /** @param {ArrayBuffer | Uint8Array} bytes */
  async #tick(bytes) {
    const [update] = readTickUpdates(await inflate(new Uint8Array(bytes)));
    const tick = update.frame.meta.tick;
    if (this.tick < 0 || tick <= this.tick) return;
    if (tick > this.tick + 1) {
      this.tick = -1;
      this.#ask();
      return;
    }
    this.tick = tick;
    this.emit("tick", update);
  }
}
