/** The timeline chart: lines, points and measures. */

import assert from "node:assert/strict";
import { beforeEach, mock, test } from "node:test";

import { Timeline } from "../../src/sector/viz/page/time/timeline.js";
import { installDom } from "./support/dom.js";
import { fakeTheme } from "./support/globals.js";
import { element } from "./support/panels.js";

installDom();
const { TimelineChart } = await import("../../src/sector/viz/page/time/timeline-chart.js");
let now = 0;
mock.method(performance, "now", () => now);
beforeEach(() => {
  now = 0;
  installDom();
});

const theme = /** @type {any} */ (fakeTheme());
/** @param {any} parent @param {string} text */
const button = (parent, text) => parent.querySelectorAll("button").find((/** @type {any} */ each) => each.textContent === text);

/** @param {number} ticks */
function chartOf(ticks, factions = ["A", "B"]) {
  const timeline = new Timeline();
  for (let tick = 0; tick < ticks; tick++) timeline.add({ tick, systems: factions.map(() => 1), ships: factions.map((_, row) => row * tick), supply: factions.map((_, row) => -row) }, 0);
  const chart = new TimelineChart(theme, () => {});
  /** @type {any[][]} */
  const data = [];
  const world = /** @type {any} */ ({ factions, colours: factions.map(() => "#000000") });
  chart.plot = /** @type {any} */ ({ setData: (/** @type {any[]} */ lines) => data.push(lines) });
  const show = (/** @type {number[]} */ rows) => {
    // The plot for these lines exists already.
    chart.seriesKey = `${rows} ${world.colours} ${theme.version}`;
    now += 1_000;
    chart.show(world, timeline);
    return data.at(-1);
  };
  return { chart, show, data, timeline };
}

test("the chart has a line for each faction", () => {
  const { show, data } = chartOf(4);
  assert.deepEqual(show([0, 1]), [[0, 1, 2, 3], [0, 0, 0, 0], [0, 1, 2, 3]]);
  show([0, 1]);
  assert.equal(data.length, 1, "an unchanged chart is not drawn again");
});

test("the chart has at most about 600 points, including the last one", () => {
  const [ticks] = chartOf(2_000).show([0, 1]) ?? [];
  assert.deepEqual([ticks.length, ticks[1], ticks.at(-1)], [501, 4, 1_999]);
});

test("of many factions the chart has the best twelve by the selected measure, in their order", () => {
  const factions = Array.from({ length: 15 }, (_, row) => `F${row}`);
  const { show, chart } = chartOf(2, factions);
  const rows = (/** @type {number} */ from) => Array.from({ length: 12 }, (_, at) => from + at);
  assert.deepEqual(show(rows(3))?.slice(1).map(([, ships]) => ships), rows(3));
  const [, , supply] = element("measures").children;
  supply.click();
  assert.equal(supply.getAttribute("aria-pressed"), "true");
  assert.equal(chart.measure, "supply");
  assert.deepEqual(show(rows(0))?.slice(1).map(([, each]) => -each), rows(0));
});

test("a faction has no value before it joined, and one tick has no chart", () => {
  const { show, timeline } = chartOf(1);
  assert.equal(show([0, 1]), undefined);
  timeline.totals[0].ships = [7];
  timeline.add({ tick: 1, systems: [1, 1], ships: [7, 8], supply: [0, 0] }, 0);
  assert.deepEqual(show([0, 1]), [[0, 1], [7, 7], [null, 8]]);
});
