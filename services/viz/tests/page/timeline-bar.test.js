/** The timeline bar: slider, battles, buttons and keys. */

import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { TimelineBar } from "../../src/sector/viz/page/time/timeline-bar.js";
import { Timeline } from "../../src/sector/viz/page/time/timeline.js";
import { installDom } from "./support/dom.js";
import { fakeTheme } from "./support/globals.js";
import { element, playbackOf } from "./support/panels.js";

beforeEach(() => void installDom());

const theme = /** @type {any} */ (fakeTheme());
/** @param {any} parent @param {string} text */
const button = (parent, text) => parent.querySelectorAll("button").find((/** @type {any} */ each) => each.textContent === text);

function timelineBarOf(fields = {}) {
  /** @type {unknown[][]} */
  const calls = [];
  const record = (/** @type {string} */ name) => (/** @type {unknown[]} */ ...args) => (calls.push([name, ...args]), Promise.resolve());
  const world = { tick: 50, timestampMs: 0 };
  const playback = playbackOf({ world, live: { tick: 100 }, ...Object.fromEntries(["seek", "step", "pause", "play", "goLive", "setSpeed"].map((name) => [name, record(name)])), ...fields });
  const timeline = new Timeline();
  timeline.load({ sim: "a", status: "running", first: 10, tick: 100, factions: [], totals: [], battles: [[20, 1], [60, 4], [60, 4]] });
  const bar = new TimelineBar(playback, timeline, theme);
  return { bar, playback, timeline, calls, slider: element("scrubber") };
}

test("the timeline bar covers the history", () => {
  const { bar, slider, playback } = timelineBarOf();
  bar.show();
  assert.deepEqual([slider.min, slider.max, slider.value, element("shown-tick").textContent], ["10", "100", "50", "50"]);
  assert.deepEqual([element("play-pause").textContent, element("live").getAttribute("aria-pressed")], ["❚❚", "true"]);
  playback.isLive = false;
  playback.world = { tick: 1_050, timestampMs: Date.UTC(2026, 0, 1) };
  playback.emit("mode", undefined);
  assert.deepEqual([element("play-pause").textContent, element("live").getAttribute("aria-pressed")], ["▶", "false"]);
  assert.match(element("shown-tick").textContent, /^1,050 · /);
});

test("battles are bars, and drawn once", () => {
  const { bar } = timelineBarOf();
  bar.show();
  const context = element("battles").getContext();
  const bars = () => context.calls.filter(([name]) => name === "fillRect").map(([, x, , , height]) => [x, Math.round(height)]);
  assert.deepEqual(bars(), [[66, -200], [332, -400]]);
  bar.show();
  assert.equal(bars().length, 2);
});

test("while the slider is dragged only its latest position is loaded", async () => {
  const { bar, slider, calls, playback } = timelineBarOf({ isPlaying: true });
  for (const value of ["30", "40", "45"]) {
    slider.value = value;
    slider.fire("input");
  }
  bar.show();
  assert.deepEqual([slider.value, element("shown-tick").textContent, playback.isPlaying], ["45", "45", false]);
  await new Promise((done) => setTimeout(done, 90));
  assert.deepEqual(calls, [["seek", 45]]);
  bar.show();
  assert.equal(slider.value, "50");
});

test("buttons of the timeline bar step, play, and seek to battles", () => {
  const { playback, calls } = timelineBarOf();
  for (const id of ["step-back", "step-forward", "battle-before", "battle-after", "live", "play-pause"]) element(id).click();
  playback.isLive = false;
  element("play-pause").click();
  playback.world.tick = 60;
  element("battle-after").click();
  playback.world.tick = 20;
  element("battle-before").click();
  element("speed").value = "8";
  element("speed").fire("change");
  assert.deepEqual(calls, [["step", -1], ["step", 1], ["seek", 20], ["seek", 60], ["goLive"], ["pause"], ["play"], ["goLive"], ["setSpeed", 8]]);
});

test("keys of the timeline bar work, except in other controls", () => {
  const { calls } = timelineBarOf();
  const press = (/** @type {string} */ key, target = document.body, fields = {}) => document.fire("keydown", { key, target, ctrlKey: false, metaKey: false, altKey: false, ...fields });
  for (const key of [" ", ",", ".", "l"]) assert.ok(press(key).defaultPrevented);
  assert.ok(press(",", element("scrubber")).defaultPrevented, "the slider has no use for them");
  assert.deepEqual(calls, [["pause"], ["step", -1], ["step", 1], ["goLive"], ["step", -1]]);
  press("x");
  press("l", document.body, { ctrlKey: true });
  for (const id of ["search", "speed", "live"]) press(" ", element(id));
  element("play").setAttribute("open", "");
  press(" ");
  assert.equal(calls.length, 5);
});
