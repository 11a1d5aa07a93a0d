/** The timeline bar: a slider over the history of the sim with its battles, and the buttons of the playback. */

import { contextOf } from "../ui/canvas.js";
import { byId, setText } from "../ui/dom.js";
import { formatTime, formatNumber } from "../ui/format.js";

/** @typedef {import("../ui/theme.js").Theme} Theme */
/** @typedef {import("./playback.js").Playback} Playback */
/** @typedef {import("./timeline.js").Timeline} Timeline */

const SEEK_DELAY_MS = 60;

export class TimelineBar {
  /** @param {Playback} playback @param {Timeline} timeline @param {Theme} theme */
  constructor(playback, timeline, theme) {
    this.playback = playback;
    this.timeline = timeline;
    this.theme = theme;
    this.slider = /** @type {HTMLInputElement} */ (byId("scrubber"));
    this.canvas = /** @type {HTMLCanvasElement} */ (byId("battles"));
    this.playPause = byId("play-pause");
    this.live = byId("live");
    this.drawnState = "";
    this.seekTimer = 0;
    this.isDragging = false;
    this.slider.addEventListener("input", () => this.#onScrub());
    this.slider.addEventListener("change", () => (this.isDragging = false));
    const speed = /** @type {HTMLSelectElement} */ (byId("speed"));
    speed.addEventListener("change", () => playback.setSpeed(Number(speed.value)));
    byId("step-back").addEventListener("click", () => playback.step(-1));
    byId("step-forward").addEventListener("click", () => playback.step(1));
    byId("battle-before").addEventListener("click", () => this.#seekBattle(-1));
    byId("battle-after").addEventListener("click", () => this.#seekBattle(1));
    this.playPause.addEventListener("click", () => this.toggle());
    this.live.addEventListener("click", () => playback.goLive());
    document.addEventListener("keydown", (event) => this.#onKey(event));
    playback.on("mode", () => this.show());
  }

  toggle() {
    if (this.playback.isLive || this.playback.isPlaying) this.playback.pause();
    else this.playback.play();
  }

  /** @param {KeyboardEvent} event */
  #onKey(event) {
    const { target } = event;
    if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
    if (target instanceof HTMLElement && target.matches("input:not([type=range]), textarea, select, button, [role=tab]")) return;
    /** @type {Record<string, () => void>} */
    const keys = { " ": () => this.toggle(), ",": () => this.playback.step(-1), ".": () => this.playback.step(1), l: () => this.playback.goLive() };
    if (!keys[event.key]) return;
    event.preventDefault();
    keys[event.key]();
  }

  /** Seek after a delay: while the user drags the slider, only its latest position counts. */
  #onScrub() {
    this.isDragging = true;
    this.playback.isPlaying = false;
    const tick = Number(this.slider.value);
    this.#setLabel(tick, 0);
    clearTimeout(this.seekTimer);
    this.seekTimer = window.setTimeout(() => this.playback.seek(tick).finally(() => (this.isDragging = false)), SEEK_DELAY_MS);
  }

  /** @param {1 | -1} direction */
  #seekBattle(direction) {
    const { world } = this.playback;
    const tick = world && this.timeline.nextBattle(world.tick, direction);
    if (tick !== null) this.playback.seek(tick);
    else if (direction > 0) this.playback.goLive();
  }

  /** @param {number} tick @param {number} timestampMs */
  #setLabel(tick, timestampMs) {
    setText(byId("shown-tick"), timestampMs ? `${formatNumber(tick)} · ${formatTime(timestampMs)}` : formatNumber(tick));
    this.slider.setAttribute("aria-valuetext", `tick ${tick}`);
  }

  show() {
    const { playback, slider } = this;
    if (!playback.world || !playback.live) return;
    slider.min = String(this.timeline.firstTick);
    slider.max = String(playback.live.tick);
    if (!this.isDragging) {
      slider.value = String(playback.world.tick);
      this.#setLabel(playback.world.tick, playback.world.timestampMs);
    }
    const isMoving = playback.isLive || playback.isPlaying;
    setText(this.playPause, isMoving ? "❚❚" : "▶");
    this.playPause.setAttribute("aria-label", isMoving ? "Pause" : "Play");
    this.live.setAttribute("aria-pressed", String(playback.isLive));
    this.#draw(this.timeline.firstTick, playback.live.tick);
  }

  /** @param {number} first @param {number} last */
  #draw(first, last) {
    const { canvas, timeline } = this;
    const [width, height] = [canvas.clientWidth, canvas.clientHeight];
    const state = `${first} ${last} ${timeline.version} ${width} ${this.theme.version}`;
    if (state === this.drawnState || !width) return;
    this.drawnState = state;
    [canvas.width, canvas.height] = [width, height];
    const bars = new Float64Array(Math.ceil(width / 2) + 1);
    for (const [tick, count] of timeline.battles) {
      if (tick >= first) bars[Math.floor((((tick - first) / Math.max(last - first, 1)) * width) / 2)] += count;
    }
    const maxCount = bars.reduce((a, b) => Math.max(a, b), 1);
    const context = contextOf(canvas);
    context.fillStyle = this.theme.colours.muted;
    bars.forEach((count, index) => {
      if (count) context.fillRect(index * 2, height, 1.5, -Math.max(Math.sqrt(count / maxCount) * height, 2));
    });
  }
}
