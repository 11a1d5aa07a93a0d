/** The timeline: totals and battles by tick. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { Timeline } from "../../src/sector/viz/page/time/timeline.js";

/** @param {number} tick */
const totals = (tick, ships = tick) => ({ tick, systems: [1], ships: [ships], supply: [0] });
/** @param {number} first @param {number[]} ticks @param {[number, number][]} battles @returns {import("../../src/sector/viz/page/net/history.js").TimelineData} */
const timelineData = (first, ticks, battles = []) => ({ sim: "a", status: "running", first, tick: Math.max(...ticks), factions: ["A"], totals: ticks.map((tick) => totals(tick)), battles });
/** @param {Timeline} timeline */
const ticksOf = (timeline) => timeline.totals.map(({ tick }) => tick);

test("ticks are added in their order, and once", () => {
  const timeline = new Timeline();
  for (const tick of [3, 4, 4, 2, 6]) timeline.add(totals(tick), 0);
  assert.deepEqual(ticksOf(timeline), [3, 4, 6]);
  assert.equal(timeline.version, 3);
});

test("loaded data is merged with live ticks", () => {
  const timeline = new Timeline();
  timeline.add(totals(9, 1), 0);
  timeline.add(totals(12, 5), 2);
  timeline.load(timelineData(5, [5, 9, 10], [[7, 1], [10, 3]]));
  assert.deepEqual(ticksOf(timeline), [5, 9, 10, 12]);
  assert.deepEqual(timeline.totals[1], totals(9), "loaded data replaces live ticks");
  assert.deepEqual([...timeline.battles], [[12, 2], [7, 1], [10, 3]]);
  assert.equal(timeline.firstTick, 5);
});

test("battles before the first tick are deleted", () => {
  const timeline = new Timeline();
  timeline.load(timelineData(0, [0, 8], [[1, 1], [6, 1]]));
  timeline.load(timelineData(5, [5, 8]));
  assert.deepEqual([...timeline.battles.keys()], [6]);
});

test("the nearest battle is found in both directions", () => {
  const timeline = new Timeline();
  timeline.load(timelineData(0, [0, 30], [[20, 1], [5, 1], [10, 1]]));
  assert.equal(timeline.nextBattle(10, 1), 20);
  assert.equal(timeline.nextBattle(10, -1), 5);
  assert.equal(timeline.nextBattle(0, 1), 5);
  assert.equal(timeline.nextBattle(20, 1), null);
  assert.equal(timeline.nextBattle(5, -1), null);
  assert.equal(new Timeline().nextBattle(5, 1), null);
});

test("ticks without battles are not counted", () => {
  const timeline = new Timeline();
  timeline.add(totals(1), 0);
  assert.equal(timeline.battles.size, 0);
});

test("above the maximum, the older half is thinned out", () => {
  const timeline = new Timeline();
  for (let tick = 0; tick <= 4_000; tick++) timeline.add(totals(tick), 0);
  const ticks = ticksOf(timeline);
  assert.equal(ticks.length, 3_001);
  assert.deepEqual(ticks.slice(0, 3), [0, 2, 4]);
  assert.deepEqual(ticks.slice(-3), [3_998, 3_999, 4_000]);
  assert.ok(ticks.every((tick, at) => at === 0 || tick > ticks[at - 1]));
});

test("a cleared timeline has nothing of the previous sim", () => {
  const timeline = new Timeline();
  timeline.load(timelineData(500, [500, 600], [[550, 1]]));
  const { version } = timeline;
  timeline.clear();
  assert.deepEqual([timeline.firstTick, timeline.totals, timeline.battles.size], [0, [], 0]);
  assert.ok(timeline.version > version);
  timeline.add(totals(3), 1);
  assert.equal(timeline.nextBattle(0, 1), 3);
});
