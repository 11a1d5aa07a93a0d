/** The course: a chart of what the factions had over time. */

import { byId } from "../ui/dom.js";
import { short } from "../ui/format.js";
import { css } from "../ui/theme.js";
import uPlot from "../vendor/uPlot.esm.js";

/** @typedef {import("../net/history.js").FactionTotals} FactionTotals */
/** @typedef {import("./timeline.js").Ledger} Ledger */
/** @typedef {"systems" | "ships" | "supply"} Measure */
/** @typedef {import("../ui/theme.js").Theme} Theme */
/** @typedef {import("../world/world.js").World} World */

const MOST_LINES = 12;
const MOST_POINTS = 600;
const HIGH = 150;
const LEAST_MS = 900;

export class CourseChart {
  /** @param {Theme} theme @param {(tick: number) => void} jumped */
  constructor(theme, jumped) {
    this.theme = theme;
    this.jumped = jumped;
    this.element = byId("chart");
    /** @type {Measure} */
    this.measure = "ships";
    /** @type {uPlot | null} */
    this.plot = null;
    this.made = "";
    this.drawn = "";
    this.drawnAt = 0;
    for (const button of byId("measures").querySelectorAll("button")) button.addEventListener("click", () => this.#choose(button));
    new ResizeObserver(() => this.plot?.setSize({ width: this.element.clientWidth, height: HIGH })).observe(this.element);
  }

  /** @param {HTMLButtonElement} chosen */
  #choose(chosen) {
    this.measure = /** @type {Measure} */ (chosen.dataset.measure);
    for (const button of byId("measures").querySelectorAll("button")) button.setAttribute("aria-pressed", String(button === chosen));
    this.drawnAt = 0;
  }

  /** @param {World} world @param {Ledger} ledger */
  show(world, ledger) {
    const now = performance.now();
    const state = `${ledger.version} ${this.measure} ${this.theme.version}`;
    if (state === this.drawn || now - this.drawnAt < LEAST_MS || !this.element.clientWidth || ledger.totals.length < 2) return;
    this.drawn = state;
    this.drawnAt = now;
    const last = ledger.totals[ledger.totals.length - 1];
    const best = world.factions.map((_, row) => row).sort((a, b) => (last[this.measure][b] ?? 0) - (last[this.measure][a] ?? 0)).slice(0, MOST_LINES).sort((a, b) => a - b);
    const made = `${best} ${world.colours} ${this.theme.version}`;
    if (made !== this.made) this.#make(best, world.factions, world);
    this.made = made;
    const step = Math.ceil(ledger.totals.length / MOST_POINTS);
    const points = ledger.totals.filter((_, at) => at % step === 0 || at === ledger.totals.length - 1);
    const lines = best.map((row) => points.map((totals) => totals[this.measure][row] ?? null));
    this.plot?.setData([points.map((totals) => totals.tick), ...lines]);
  }

  /** @param {number[]} rows @param {string[]} names @param {World} world */
  #make(rows, names, world) {
    this.plot?.destroy();
    const colours = this.theme.factions(world.colours);
    const { quiet, lane } = this.theme.named;
    const axis = { stroke: quiet, grid: { stroke: lane, width: 0.5 }, ticks: { show: false }, font: "11px system-ui, sans-serif" };
    this.plot = new uPlot(
      {
        width: this.element.clientWidth,
        height: HIGH,
        padding: [8, 8, 0, 0],
        legend: { show: false },
        cursor: { y: false, points: { size: 6 } },
        scales: { x: { time: false } },
        axes: [
          { ...axis, size: 22, values: (/** @type {unknown} */ _, /** @type {number[]} */ ticks) => ticks.map((tick) => (Number.isInteger(tick) ? short(tick) : "")) },
          { ...axis, size: 40, values: (/** @type {unknown} */ _, /** @type {number[]} */ counts) => counts.map(short) },
        ],
        series: [{}, ...rows.map((row) => ({ label: names[row], stroke: css(colours[row]), width: 1.75, points: { show: false } }))],
        hooks: { ready: [(/** @type {any} */ plot) => plot.over.addEventListener("dblclick", () => this.jumped(Math.round(plot.posToVal(plot.cursor.left, "x"))))] },
      },
      [[]],
      this.element,
    );
  }
}
