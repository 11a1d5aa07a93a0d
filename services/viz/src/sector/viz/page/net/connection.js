/** The Socket.IO connection to the viz: watches a sim, and receives its snapshot and ticks. */

import { readFrame } from "../codec/frame.js";
import { inflate, readTickUpdates } from "../codec/tick-update.js";
import { Emitter } from "../core/emitter.js";
import "../vendor/socket.io.msgpack.min.js";
import { WorldMap } from "../world/world-map.js";
import { Reconnector } from "./reconnect.js";

/** @typedef {import("../codec/tick-update.js").TickUpdate} TickUpdate */
/** @typedef {{sim: string, worker: string | null, map_id: string, map?: ArrayBuffer | Uint8Array, moment: ArrayBuffer | Uint8Array}} WorldMessage */

const PING_INTERVAL_MS = 5_000;
const SUPERVISE_INTERVAL_MS = 1_000;
/** A connection attempt that neither opens nor fails ends after this time. */
const CONNECT_TIMEOUT_MS = 5_000;

/**
 * `world`: a snapshot of the sim. `tick`: the next tick. `worker`: the worker that holds the lease. `error`: why the world is not live.
 * `unreadable`: a message cannot be decoded. `change`: the state of the connection changed.
 * @extends {Emitter<{
 *   world: {sim: string, map: WorldMap, update: TickUpdate},
 *   tick: TickUpdate,
 *   worker: string | null,
 *   error: string,
 *   unreadable: undefined,
 *   change: undefined,
 * }>}
 */
export class Connection extends Emitter {
  /** @param {boolean} polling whether the page may use HTTP long-polling if a WebSocket fails */
  constructor(polling) {
    super();
    this.sim = "";
    this.roundTripMs = NaN;
    this.pingEvent = "heartbeat";
    /** Whether the viz has not answered the last ping. */
    this.isPingPending = false;
    /** Why the viz refuses to show the sim; "" if it does not. */
    this.refusal = "";
    /** When the page last asked for the world of the sim. */
    this.watchedAt = performance.now();
    /** @type {WorldMap | null} */
    this.map = null;
    this.tick = -1;
    /** @type {Promise<void>} Messages are decoded one after the other, in their order. */
    this.reading = Promise.resolve();
    const path = new URL("ws", location.href).pathname;
    /** @type {import("../vendor/socket.io.msgpack.min.js").Socket} */
    this.socket = globalThis.io({
      path,
      transports: polling ? ["websocket", "polling"] : ["websocket"],
      tryAllTransports: true,
      timeout: CONNECT_TIMEOUT_MS,
      reconnectionDelay: 250,
      reconnectionDelayMax: 2_000,
      autoConnect: false,
    });
    this.reconnector = new Reconnector(this.socket, polling, () => this.emit("change", undefined));
    this.socket.on("connect", () => this.#onConnect());
    this.socket.on("disconnect", () => this.#onDisconnect());
    this.socket.on("connect_error", (/** @type {Error} */ error) => this.reconnector.onError(error));
    this.socket.on("world", (/** @type {WorldMessage} */ message) => this.#queue(() => this.#onWorld(message)));
    this.socket.on("tick", (/** @type {ArrayBuffer | Uint8Array} */ bytes) => this.#queue(() => this.#onTick(bytes)));
    this.socket.on("worker", (/** @type {string | null} */ worker) => this.#queue(async () => this.emit("worker", worker)));
    // `fault` is what a viz of version 0.5 sends, as during a rolling update. Version 0.6 sends both.
    for (const name of ["sim_error", "fault"]) {
      this.socket.on(name, (/** @type {string} */ error) => this.#queue(async () => this.emit("error", error)));
    }
    setInterval(() => this.#pingAgain(), PING_INTERVAL_MS);
    setInterval(() => this.#supervise(), SUPERVISE_INTERVAL_MS);
  }

  get connected() {
    return this.socket.connected;
  }

  /** Why there is no connection, and what to do; "" while connected. */
  get problem() {
    return this.reconnector.problem;
  }

  /** @param {string} sim */
  watch(sim) {
    this.sim = sim;
    this.tick = -1;
    this.refusal = "";
    this.watchedAt = performance.now();
    if (this.socket.connected) this.#subscribe();
    else this.reconnector.connect();
  }

  #onConnect() {
    this.reconnector.onConnect();
    this.isPingPending = false;
    this.watchedAt = performance.now();
    this.#subscribe();
  }

  #onDisconnect() {
    this.reconnector.onDisconnect();
    this.emit("change", undefined);
  }

  /** Reconnect, or subscribe again if the viz sent no world. */
  #supervise() {
    if (!this.socket.connected) {
      this.reconnector.retry();
      return;
    }
    const now = performance.now();
    if (this.tick < 0 && !this.refusal && now - this.watchedAt > PING_INTERVAL_MS) {
      this.watchedAt = now;
      this.#subscribe();
    }
  }

  /** Ask the viz for the world of the sim and its ticks. */
  #subscribe() {
    this.emit("change", undefined);
    this.socket.emit("watch", this.sim, this.map?.id ?? "", (/** @type {string | null} */ refusal) => {
      this.refusal = refusal ?? "";
      this.emit("change", undefined);
    });
    this.#ping();
  }

  /** Ping by the other name if the viz has not answered: one of version 0.5 answers only `beat`. */
  #pingAgain() {
    if (this.isPingPending) this.pingEvent = this.pingEvent === "heartbeat" ? "beat" : "heartbeat";
    this.#ping();
  }

  #ping() {
    if (!this.socket.connected) return;
    this.isPingPending = true;
    const sentAt = performance.now();
    this.socket.emit(this.pingEvent, () => {
      this.isPingPending = false;
      this.roundTripMs = performance.now() - sentAt;
    });
  }

  /** @param {() => Promise<void>} read */
  #queue(read) {
    this.reading = this.reading.then(read).catch((error) => {
      console.error(error);
      this.emit("error", `a message cannot be read: ${error.message}`);
      this.emit("unreadable", undefined);
    });
  }

  /** @param {WorldMessage} message */
  async #onWorld(message) {
    if (message.sim !== this.sim) return;
    const mapFrame = message.map && readFrame(await inflate(new Uint8Array(message.map)));
    const [update] = readTickUpdates(await inflate(new Uint8Array(message.moment)));
    // The user may have switched to another sim in the meantime.
    if (message.sim !== this.sim) return;
    if (mapFrame) this.map = new WorldMap(mapFrame);
    if (this.map?.id !== message.map_id) {
      this.map = null;
      this.#subscribe();
      return;
    }
    this.tick = update.frame.meta.tick;
    this.emit("worker", message.worker);
    this.emit("world", { sim: message.sim, map: this.map, update });
  }

  /** @param {ArrayBuffer | Uint8Array} bytes */
  async #onTick(bytes) {
    const [update] = readTickUpdates(await inflate(new Uint8Array(bytes)));
    const tick = update.frame.meta.tick;
    if (this.tick < 0 || tick <= this.tick) return;
    if (tick > this.tick + 1) {
      // Ticks were lost: subscribe again, for a fresh snapshot.
      this.tick = -1;
      this.#subscribe();
      return;
    }
    this.tick = tick;
    this.emit("tick", update);
  }
}
