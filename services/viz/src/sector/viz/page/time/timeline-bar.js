/** The time bar: all that is kept of the sim, its battles, and where in it the picture is. */

import { contextOf } from "../ui/canvas.js";
import { byId, setText } from "../ui/dom.js";
import { clock, whole } from "../ui/format.js";

/** @typedef {import("./timeline.js").Ledger} Ledger */
/** @typedef {import("./playback.js").Stage} Stage */
/** @typedef {import("../ui/theme.js").Theme} Theme */

const SETTLED_MS = 60;

export class TimeBar {
  /** @param {Stage} stage @param {Ledger} ledger @param {Theme} theme */
  constructor(stage, ledger, theme) {
    this.stage = stage;
    this.ledger = ledger;
    this.theme = theme;
    this.slider = /** @type {HTMLInputElement} */ (byId("scrubber"));
    this.canvas = /** @type {HTMLCanvasElement} */ (byId("battles"));
    this.playPause = byId("play-pause");
    this.live = byId("live");
    this.drawn = "";
    this.waiting = 0;
    this.dragging = false;
    this.slider.addEventListener("input", () => this.#scrub());
    this.slider.addEventListener("change", () => (this.dragging = false));
    const speed = /** @type {HTMLSelectElement} */ (byId("speed"));
    speed.addEventListener("change", () => stage.setSpeed(Number(speed.value)));
    byId("step-back").addEventListener("click", () => stage.step(-1));
    byId("step-on").addEventListener("click", () => stage.step(1));
    byId("battle-before").addEventListener("click", () => this.#toBattle(-1));
    byId("battle-after").addEventListener("click", () => this.#toBattle(1));
    this.playPause.addEventListener("click", () => this.toggle());
    this.live.addEventListener("click", () => stage.toLive());
    document.addEventListener("keydown", (event) => this.#onKey(event));
    stage.on("mode", () => this.show());
  }

  toggle() {
    if (this.stage.isLive || this.stage.playing) this.stage.pause();
    else this.stage.play();
  }

  /** @param {KeyboardEvent} event */
  #onKey(event) {
    const { target } = event;
    if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
    if (target instanceof HTMLElement && target.matches("input:not([type=range]), textarea, select, button, [role=tab]")) return;
    /** @type {Record<string, () => void>} */
    const keys = { " ": () => this.toggle(), ",": () => this.stage.step(-1), ".": () => this.stage.step(1), l: () => this.stage.toLive() };
    if (!keys[event.key]) return;
    event.preventDefault();
    keys[event.key]();
  }

  /** While the slider is dragged the newest place is what counts. */
  #scrub() {
    this.dragging = true;
    this.stage.playing = false;
    const tick = Number(this.slider.value);
    this.#tell(tick, 0);
    clearTimeout(this.waiting);
    this.waiting = window.setTimeout(() => this.stage.jump(tick).finally(() => (this.dragging = false)), SETTLED_MS);
  }

  /** @param {1 | -1} direction */
  #toBattle(direction) {
    const { world } = this.stage;
    const tick = world && this.ledger.battleFrom(world.tick, direction);
    if (tick !== null) this.stage.jump(tick);
    else if (direction > 0) this.stage.toLive();
  }

  /** @param {number} tick @param {number} timestampMs */
  #tell(tick, timestampMs) {
    setText(byId("moment"), timestampMs ? `${whole(tick)} · ${clock(timestampMs)}` : whole(tick));
    this.slider.setAttribute("aria-valuetext", `tick ${tick}`);
  }

  show() {
    const { stage, slider } = this;
    if (!stage.world || !stage.live) return;
    slider.min = String(this.ledger.first);
    slider.max = String(stage.live.tick);
    if (!this.dragging) {
      slider.value = String(stage.world.tick);
      this.#tell(stage.world.tick, stage.world.timestampMs);
    }
    const moving = stage.isLive || stage.playing;
    setText(this.playPause, moving ? "❚❚" : "▶");
    this.playPause.setAttribute("aria-label", moving ? "Pause" : "Play");
    this.live.setAttribute("aria-pressed", String(stage.isLive));
    this.#draw(this.ledger.first, stage.live.tick);
  }

  /** @param {number} first @param {number} last */
  #draw(first, last) {
    const { canvas, ledger } = this;
    const [width, height] = [canvas.clientWidth, canvas.clientHeight];
    const state = `${first} ${last} ${ledger.version} ${width} ${this.theme.version}`;
    if (state === this.drawn || !width) return;
    this.drawn = state;
    [canvas.width, canvas.height] = [width, height];
    const bars = new Float64Array(Math.ceil(width / 2) + 1);
    for (const [tick, count] of ledger.battles) {
      if (tick >= first) bars[Math.floor((((tick - first) / Math.max(last - first, 1)) * width) / 2)] += count;
    }
    const most = bars.reduce((a, b) => Math.max(a, b), 1);
    const context = contextOf(canvas);
    context.fillStyle = this.theme.named.quiet;
    bars.forEach((count, at) => {
      if (count) context.fillRect(at * 2, height, 1.5, -Math.max(Math.sqrt(count / most) * height, 2));
    });
  }
}
