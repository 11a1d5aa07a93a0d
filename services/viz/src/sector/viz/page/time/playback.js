/** The playback: shows the live world, or a past tick, paused or playing. */

import { readEvents } from "../codec/event-rows.js";
import { Emitter } from "../core/emitter.js";
import { fetchState, fetchTicks } from "../net/history.js";
import { World } from "../world/world.js";

/** @typedef {import("../codec/event-rows.js").WorldEvent} WorldEvent */
/** @typedef {import("../codec/tick-update.js").TickUpdate} TickUpdate */
/** @typedef {import("../world/world-map.js").WorldMap} WorldMap */

const FETCH_LIMIT = 60;
const MIN_BUFFERED = 40;
const MAX_TICKS_PER_FRAME = 24;
const CATCH_UP_MS = 250;

/**
 * `world`: another world or another time is shown. `tick`: the world shown advanced, with these events. `mode`: live, paused, playing or
 * the speed changed. `error`: a past tick cannot be shown.
 * @extends {Emitter<{world: World, tick: WorldEvent[], mode: undefined, error: string}>}
 */
export class Playback extends Emitter {
  constructor() {
    super();
    this.sim = "";
    /** @type {World | null} */
    this.live = null;
    /** @type {World | null} */
    this.past = null;
    this.isPlaying = false;
    this.speed = 1;
    /** The measured milliseconds between live ticks. */
    this.tickPeriodMs = 500;
    this.lastTickAt = 0;
    /** The time shown, in ticks. */
    this.time = 0;
    this.lastFrameAt = performance.now();
    /** @type {TickUpdate[]} */
    this.buffer = [];
    this.isFetching = false;
    /** The number of the latest seek. Responses to earlier ones are ignored. */
    this.seekNumber = 0;
  }

  /** The world that is shown. */
  get world() {
    return this.past ?? this.live;
  }

  get isLive() {
    return !this.past;
  }

  /** @param {string} sim @param {WorldMap} map @param {TickUpdate} update */
  load(sim, map, update) {
    const isOtherWorld = this.sim !== sim || this.live?.map !== map;
    this.sim = sim;
    this.live = new World(map, update.frame, update.timestampMs);
    this.lastTickAt = performance.now();
    if (isOtherWorld) {
      this.past = null;
      this.buffer = [];
      this.isPlaying = false;
    }
    if (!this.past) this.#setTime(this.live.tick);
  }

  /** @param {TickUpdate} update */
  applyTick(update) {
    if (!this.live) return;
    const intervalMs = update.timestampMs - this.live.timestampMs;
    if (intervalMs > 0 && intervalMs < 60_000) this.tickPeriodMs += (Math.max(intervalMs, 10) - this.tickPeriodMs) * 0.2;
    this.live.apply(update.frame, update.timestampMs);
    this.lastTickAt = performance.now();
    if (this.isLive) this.emit("tick", readEvents(update.events));
  }

  /**
   * Return the time to draw, in ticks. It has fractions, so that fleets move smoothly.
   * @param {number} now
   */
  timeAt(now) {
    const elapsedMs = Math.min(now - this.lastFrameAt, 250);
    this.lastFrameAt = now;
    if (this.past) this.#advancePast(this.past, elapsedMs);
    else if (this.live) this.#advanceLive(this.live, now, elapsedMs);
    return this.time;
  }

  /** @param {World} live @param {number} now @param {number} elapsedMs */
  #advanceLive(live, now, elapsedMs) {
    const isRunning = live.status !== "finished";
    const liveTime = live.tick + (isRunning ? Math.min((now - this.lastTickAt) / this.tickPeriodMs, 1) : 0);
    const nextTime = this.time + (isRunning ? elapsedMs / this.tickPeriodMs : 0);
    // Ticks arrive slightly early or late. The time catches up smoothly.
    if (Math.abs(liveTime - this.time) > 2) this.time = liveTime;
    else this.time = Math.min(Math.max(nextTime + (liveTime - nextTime) * Math.min(elapsedMs / CATCH_UP_MS, 1), this.time), live.tick + 1);
  }

  /** @param {World} past @param {number} elapsedMs */
  #advancePast(past, elapsedMs) {
    if (!this.isPlaying) return;
    this.time += (elapsedMs * this.speed) / this.tickPeriodMs;
    for (let count = 0; count < MAX_TICKS_PER_FRAME && this.time >= past.tick + 1 && this.buffer.length; count++) {
      const update = /** @type {TickUpdate} */ (this.buffer.shift());
      past.apply(update.frame, update.timestampMs);
      this.emit("tick", readEvents(update.events));
    }
    this.time = Math.min(this.time, past.tick + 1);
    if (this.buffer.length < MIN_BUFFERED) this.#fetch(past);
    if (this.live && past.tick >= this.live.tick) this.goLive();
  }

  /** @param {World} past */
  async #fetch(past) {
    if (this.isFetching || !this.live) return;
    const after = this.buffer.at(-1)?.frame.meta.tick ?? past.tick;
    if (after >= this.live.tick) return;
    this.isFetching = true;
    try {
      const updates = await fetchTicks(this.sim, after, FETCH_LIMIT);
      if (past !== this.past) return;
      if (updates.length && updates[0].frame.meta.tick !== after + 1) throw new Error(`tick ${after + 1} is no longer in the history`);
      this.buffer.push(...updates);
    } catch (error) {
      if (past === this.past) this.#fail(error);
    } finally {
      this.isFetching = false;
    }
  }

  /**
   * Show a past tick, paused.
   * @param {number} tick
   */
  async seek(tick) {
    const ownNumber = ++this.seekNumber;
    if (this.live && tick >= this.live.tick) {
      this.goLive();
      return;
    }
    const map = this.live?.map;
    const isOutdated = () => ownNumber !== this.seekNumber || !this.live || this.live.map !== map;
    try {
      const update = await fetchState(this.sim, tick);
      if (isOutdated() || !map) return;
      this.past = new World(map, update.frame, update.timestampMs);
      this.buffer = [];
      this.#setTime(tick);
      this.emit("tick", readEvents(update.events));
    } catch (error) {
      if (!isOutdated()) this.#fail(error);
    }
  }

  /** Pause at the tick that is shown. */
  pause() {
    const world = this.world;
    if (!world) return;
    this.isPlaying = false;
    if (this.past) {
      this.time = this.past.tick;
      this.emit("mode", undefined);
    } else this.seek(Math.max(world.tick - 1, 0));
  }

  play() {
    if (this.isLive) return;
    this.isPlaying = true;
    this.emit("mode", undefined);
  }

  /** @param {number} ticks */
  async step(ticks) {
    if (!this.world) return;
    this.isPlaying = false;
    await this.seek(Math.max(this.world.tick + ticks, 0));
  }

  /** @param {number} speed */
  setSpeed(speed) {
    this.speed = speed;
    this.emit("mode", undefined);
  }

  goLive() {
    this.seekNumber++;
    this.past = null;
    this.buffer = [];
    this.isPlaying = false;
    if (this.live) this.#setTime(this.live.tick);
  }

  /** @param {number} tick */
  #setTime(tick) {
    this.time = tick;
    this.emit("world", /** @type {World} */ (this.world));
    this.emit("mode", undefined);
  }

  /** @param {unknown} error */
  #fail(error) {
    this.isPlaying = false;
    this.emit("error", error instanceof Error ? error.message : String(error));
    this.emit("mode", undefined);
  }
}
