/** The stage: which world is shown, and at what time: live, or some tick of the past, standing still or playing. */

import { fetchState, fetchTicks } from "../net/history.js";
import { Emitter } from "../core/emitter.js";
import { readEvents } from "../codec/event-rows.js";
import { World } from "../world/world.js";

/** @typedef {import("../codec/tick-update.js").TickUpdate} TickUpdate */
/** @typedef {import("../world/world.js").WorldMap} WorldMap */
/** @typedef {import("../codec/event-rows.js").WorldEvent} WorldEvent */

const PAGE = 60;
const FEW_LEFT = 40;
const MOST_A_FRAME = 24;
const CATCH_UP_MS = 250;

/**
 * `world`: another world is shown, or the same at another time. `tick`: the one shown went on, and this happened. `mode`: live, past,
 * playing, speed. `head`: the live world went on, shown or not.
 * @extends {Emitter<{world: World, tick: WorldEvent[], mode: undefined, head: World, fault: string}>}
 */
export class Stage extends Emitter {
  constructor() {
    super();
    this.sim = "";
    /** @type {World | null} */
    this.live = null;
    /** @type {World | null} */
    this.past = null;
    this.playing = false;
    this.speed = 1;
    /** Milliseconds from one live tick to the next, as the worker commits them. */
    this.periodMs = 500;
    this.tickedAt = 0;
    /** The time shown, in ticks. */
    this.time = 0;
    this.drawnAt = performance.now();
    /** @type {TickUpdate[]} */
    this.ahead = [];
    this.fetching = false;
    /** Which jump was asked for last: what comes of others is of no use. */
    this.wanted = 0;
  }

  /** The world that is shown. */
  get world() {
    return this.past ?? this.live;
  }

  get isLive() {
    return !this.past;
  }

  /** @param {string} sim @param {WorldMap} map @param {TickUpdate} update */
  begin(sim, map, update) {
    const isOther = this.sim !== sim || this.live?.map !== map;
    this.sim = sim;
    this.live = new World(map, update.frame, update.timestampMs);
    this.tickedAt = performance.now();
    if (isOther) {
      this.past = null;
      this.ahead = [];
      this.playing = false;
    }
    this.emit("head", this.live);
    if (!this.past) this.#show(this.live.tick);
  }

  /** @param {TickUpdate} update */
  advance(update) {
    if (!this.live) return;
    const tookMs = update.timestampMs - this.live.timestampMs;
    if (tookMs > 0 && tookMs < 60_000) this.periodMs += (Math.max(tookMs, 10) - this.periodMs) * 0.2;
    this.live.apply(update.frame, update.timestampMs);
    this.tickedAt = performance.now();
    this.emit("head", this.live);
    if (this.isLive) this.emit("tick", readEvents(update.events));
  }

  /**
   * Return the time to be drawn, in ticks: fleets glide by it.
   * @param {number} now
   */
  timeAt(now) {
    const passedMs = Math.min(now - this.drawnAt, 250);
    this.drawnAt = now;
    if (this.past) this.#play(this.past, passedMs);
    else if (this.live) this.#glide(this.live, now, passedMs);
    return this.time;
  }

  /** @param {World} live @param {number} now @param {number} passedMs */
  #glide(live, now, passedMs) {
    const moves = live.status !== "finished";
    const due = live.tick + (moves ? Math.min((now - this.tickedAt) / this.periodMs, 1) : 0);
    const next = this.time + (moves ? passedMs / this.periodMs : 0);
    // Ticks come a little early or late: the picture does not jump for that.
    if (Math.abs(due - this.time) > 2) this.time = due;
    else this.time = Math.min(Math.max(next + (due - next) * Math.min(passedMs / CATCH_UP_MS, 1), this.time), live.tick + 1);
  }

  /** @param {World} past @param {number} passedMs */
  #play(past, passedMs) {
    if (!this.playing) return;
    this.time += (passedMs * this.speed) / this.periodMs;
    for (let count = 0; count < MOST_A_FRAME && this.time >= past.tick + 1 && this.ahead.length; count++) {
      const update = /** @type {TickUpdate} */ (this.ahead.shift());
      past.apply(update.frame, update.timestampMs);
      this.emit("tick", readEvents(update.events));
    }
    this.time = Math.min(this.time, past.tick + 1);
    if (this.ahead.length < FEW_LEFT) this.#fetch(past);
    if (this.live && past.tick >= this.live.tick) this.toLive();
  }

  /** @param {World} past */
  async #fetch(past) {
    if (this.fetching || !this.live) return;
    const after = this.ahead.at(-1)?.frame.meta.tick ?? past.tick;
    if (after >= this.live.tick) return;
    this.fetching = true;
    try {
      const updates = await fetchTicks(this.sim, after, PAGE);
      if (past !== this.past) return;
      if (updates.length && updates[0].frame.meta.tick !== after + 1) throw new Error(`tick ${after + 1} is no longer kept`);
      this.ahead.push(...updates);
    } catch (error) {
      if (past === this.past) this.#fault(error);
    } finally {
      this.fetching = false;
    }
  }

  /**
   * Show a tick of the past, standing still.
   * @param {number} tick
   */
  async jump(tick) {
    const wanted = ++this.wanted;
    if (this.live && tick >= this.live.tick) {
      this.toLive();
      return;
    }
    const map = this.live?.map;
    const isOutdated = () => wanted !== this.wanted || !this.live || this.live.map !== map;
    try {
      const update = await fetchState(this.sim, tick);
      if (isOutdated() || !map) return;
      this.past = new World(map, update.frame, update.timestampMs);
      this.ahead = [];
      this.#show(tick);
      this.emit("tick", readEvents(update.events));
    } catch (error) {
      if (!isOutdated()) this.#fault(error);
    }
  }

  /** Stop where the picture is. */
  pause() {
    const world = this.world;
    if (!world) return;
    this.playing = false;
    if (this.past) {
      this.time = this.past.tick;
      this.emit("mode", undefined);
    } else this.jump(Math.max(world.tick - 1, 0));
  }

  play() {
    if (this.isLive) return;
    this.playing = true;
    this.emit("mode", undefined);
  }

  /** @param {number} by */
  async step(by) {
    if (!this.world) return;
    this.playing = false;
    await this.jump(Math.max(this.world.tick + by, 0));
  }

  /** @param {number} speed */
  setSpeed(speed) {
    this.speed = speed;
    this.emit("mode", undefined);
  }

  toLive() {
    this.wanted++;
    this.past = null;
    this.ahead = [];
    this.playing = false;
    if (this.live) this.#show(this.live.tick);
  }

  /** @param {number} tick */
  #show(tick) {
    this.time = tick;
    this.emit("world", /** @type {World} */ (this.world));
    this.emit("mode", undefined);
  }

  /** @param {unknown} error */
  #fault(error) {
    this.playing = false;
    this.emit("fault", error instanceof Error ? error.message : String(error));
    this.emit("mode", undefined);
  }
}
