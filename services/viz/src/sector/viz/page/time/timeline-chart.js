/** The timeline chart: systems, ships or supply of the factions over time. */

import { byId } from "../ui/dom.js";
import { formatShort } from "../ui/format.js";
import { cssColour } from "../ui/theme.js";
import uPlot from "../vendor/uPlot.esm.js";

/** @typedef {import("../net/history.js").FactionTotals} FactionTotals */
/** @typedef {import("./timeline.js").Timeline} Timeline */
/** @typedef {"systems" | "ships" | "supply"} Measure */
/** @typedef {import("../ui/theme.js").Theme} Theme */
/** @typedef {import("../world/world.js").World} World */

const MAX_LINES = 12;
const MAX_POINTS = 600;
const HEIGHT = 150;
const MIN_REDRAW_MS = 900;

export class TimelineChart {
  /** @param {Theme} theme @param {(tick: number) => void} onSeek */
  constructor(theme, onSeek) {
    this.theme = theme;
    this.onSeek = onSeek;
    this.element = byId("chart");
    /** @type {Measure} */
    this.measure = "ships";
    /** @type {uPlot | null} */
    this.plot = null;
    this.seriesKey = "";
    this.dataKey = "";
    this.lastDrawAt = 0;
    for (const button of byId("measures").querySelectorAll("button")) button.addEventListener("click", () => this.#selectMeasure(button));
    new ResizeObserver(() => this.plot?.setSize({ width: this.element.clientWidth, height: HEIGHT })).observe(this.element);
  }

  /** @param {HTMLButtonElement} button */
  #selectMeasure(button) {
    this.measure = /** @type {Measure} */ (button.dataset.measure);
    for (const each of byId("measures").querySelectorAll("button")) each.setAttribute("aria-pressed", String(each === button));
    this.lastDrawAt = 0;
  }

  /** @param {World} world @param {Timeline} timeline */
  show(world, timeline) {
    const now = performance.now();
    const dataKey = `${timeline.version} ${this.measure} ${this.theme.version}`;
    if (dataKey === this.dataKey || now - this.lastDrawAt < MIN_REDRAW_MS || !this.element.clientWidth || timeline.totals.length < 2) return;
    this.dataKey = dataKey;
    this.lastDrawAt = now;
    const last = timeline.totals[timeline.totals.length - 1];
    const topRows = world.factions.map((_, row) => row).sort((a, b) => (last[this.measure][b] ?? 0) - (last[this.measure][a] ?? 0)).slice(0, MAX_LINES).sort((a, b) => a - b);
    const seriesKey = `${topRows} ${world.colours} ${this.theme.version}`;
    if (seriesKey !== this.seriesKey) this.#createPlot(topRows, world.factions, world);
    this.seriesKey = seriesKey;
    const step = Math.ceil(timeline.totals.length / MAX_POINTS);
    const points = timeline.totals.filter((_, index) => index % step === 0 || index === timeline.totals.length - 1);
    const lines = topRows.map((row) => points.map((totals) => totals[this.measure][row] ?? null));
    this.plot?.setData([points.map((totals) => totals.tick), ...lines]);
  }

  /** @param {number[]} rows @param {string[]} names @param {World} world */
  #createPlot(rows, names, world) {
    this.plot?.destroy();
    const colours = this.theme.factionColours(world.colours);
    const { muted, lane } = this.theme.colours;
    const axis = { stroke: muted, grid: { stroke: lane, width: 0.5 }, ticks: { show: false }, font: "11px system-ui, sans-serif" };
    this.plot = new uPlot(
      {
        width: this.element.clientWidth,
        height: HEIGHT,
        padding: [8, 8, 0, 0],
        legend: { show: false },
        cursor: { y: false, points: { size: 6 } },
        scales: { x: { time: false } },
        axes: [
          { ...axis, size: 22, values: (/** @type {unknown} */ _, /** @type {number[]} */ ticks) => ticks.map((tick) => (Number.isInteger(tick) ? formatShort(tick) : "")) },
          { ...axis, size: 40, values: (/** @type {unknown} */ _, /** @type {number[]} */ counts) => counts.map(formatShort) },
        ],
        series: [{}, ...rows.map((row) => ({ label: names[row], stroke: cssColour(colours[row]), width: 1.75, points: { show: false } }))],
        hooks: { ready: [(/** @type {any} */ plot) => plot.over.addEventListener("dblclick", () => this.onSeek(Math.round(plot.posToVal(plot.cursor.left, "x"))))] },
      },
      [[]],
      this.element,
    );
  }
}
