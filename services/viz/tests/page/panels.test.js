/** The panels, over the elements of the real index.html: event log, details, factions, search, status, time bar, chart, sims and tabs. */

import assert from "node:assert/strict";
import { beforeEach, mock, test } from "node:test";

import { readEvents } from "../../src/sector/viz/page/codec/event-rows.js";
import { readFrame } from "../../src/sector/viz/page/codec/frame.js";
import { Emitter } from "../../src/sector/viz/page/core/emitter.js";
import { DetailsPanel } from "../../src/sector/viz/page/panels/details.js";
import { EventLog } from "../../src/sector/viz/page/panels/event-log.js";
import { FactionTable } from "../../src/sector/viz/page/panels/faction-table.js";
import { Search } from "../../src/sector/viz/page/panels/search.js";
import { SimPicker } from "../../src/sector/viz/page/panels/sim-picker.js";
import { StatusBar } from "../../src/sector/viz/page/panels/status-bar.js";
import { startTabs } from "../../src/sector/viz/page/panels/tabs.js";
import { TimelineBar } from "../../src/sector/viz/page/time/timeline-bar.js";
import { Timeline } from "../../src/sector/viz/page/time/timeline.js";
import { byId, createElement, createFactionLabel, setText } from "../../src/sector/viz/page/ui/dom.js";
import { installDom } from "./support/dom.js";
import { fakeFetch, fakeTheme, jsonResponse, setGlobals, settle } from "./support/globals.js";
import { goldenBytes, goldenWorld } from "./support/golden.js";

/** @type {any} */
let document = installDom();
const { TimelineChart } = await import("../../src/sector/viz/page/time/timeline-chart.js");
let now = 0;
mock.method(performance, "now", () => now);
beforeEach(() => {
  now = 0;
  document = installDom();
});

const theme = /** @type {any} */ (fakeTheme());
const EVENTS = readEvents(readFrame(goldenBytes("events-all.bin")));
/** @param {string} id */
const element = (id) => document.getElementById(id);
/** @param {any} parent */
const textsOf = (parent) => parent.children.map((/** @type {any} */ child) => child.textContent);
/** @param {any} parent @param {string} text */
const button = (parent, text) => parent.querySelectorAll("button").find((/** @type {any} */ each) => each.textContent === text);

test("elements are created with attributes, listeners and text that is never HTML", () => {
  let clicks = 0;
  const node = /** @type {any} */ (createElement("button", { class: "a", hidden: true, required: false, click: () => clicks++ }, "<b>", createElement("i", {}, "x")));
  node.click();
  assert.deepEqual([node.tagName, node.className, node.hidden, node.getAttribute("required"), node.textContent, clicks], ["button", "a", true, null, "<b>x", 1]);
  assert.equal(node.childNodes[0], "<b>");
  assert.equal(/** @type {any} */ (createFactionLabel("Me", "red")).style.getPropertyValue("--colour"), "red");
});

test("a missing element is named in the error", () => {
  assert.throws(() => byId("nothing"), /the page has no #nothing/);
});

test("text is only set if it changed", () => {
  const node = /** @type {any} */ (createElement("p", {}, "a"));
  const [text] = node.childNodes;
  setText(node, "a");
  assert.equal(node.childNodes[0], text);
  setText(node, "b");
  assert.equal(node.textContent, "b");
});

/** A eventLog, and what was picks from it. */
function eventLogOf() {
  /** @type {unknown[]} */
  const picks = [];
  const eventLog = new EventLog(theme, { system: (row) => picks.push(["system", row]), tick: (tick) => picks.push(["tick", tick]) });
  return { eventLog, picks, list: element("events") };
}

test("the event log has events of the kinds that are shown, newest first", () => {
  const { eventLog, list } = eventLogOf();
  eventLog.add(goldenWorld(), EVENTS);
  assert.deepEqual(textsOf(list), [
    "42Crimson 1 against Me-2 2 against Ünïcode 12 at 🚀 Ω: Ünïcode keeps 9",
    "42 at Alpha: 0 left",
    "42natives 2 against Crimson 5 at Ålesund: Crimson keeps 3",
    "42Ünïcode: 🚀 Ω\u2028日本 — at \u2028line",
    "42Me-2: <b>hello</b>",
  ]);
});

test("kinds can be switched on and off", () => {
  const { eventLog, list } = eventLogOf();
  eventLog.add(goldenWorld(), EVENTS);
  const types = () => list.children.map((/** @type {any} */ item) => item.dataset.type);
  const chip = button(element("filters"), "Refusals");
  assert.equal(chip.getAttribute("aria-pressed"), "false");
  chip.click();
  assert.equal(chip.getAttribute("aria-pressed"), "true");
  assert.equal(types().at(-1), "order_rejected");
  button(element("filters"), "Battles").click();
  assert.deepEqual(types(), ["note", "note", "order_rejected"]);
});

test("the event log can show one faction, and shows all after it is toggled twice", () => {
  const { eventLog, list } = eventLogOf();
  eventLog.add(goldenWorld(), EVENTS);
  eventLog.toggleFaction("Me-2");
  assert.deepEqual([list.children.length, eventLog.select.value], [2, "Me-2"]);
  eventLog.setFaction("Me-2");
  assert.equal(list.children.length, 2);
  eventLog.toggleFaction("Crimson");
  assert.deepEqual([list.children.length, eventLog.select.value], [2, "Crimson"]);
  eventLog.toggleFaction("Crimson");
  assert.deepEqual([list.children.length, eventLog.select.value], [5, ""]);
  eventLog.select.value = "Ünïcode";
  /** @type {any} */ (eventLog.select).fire("change");
  assert.equal(list.children.length, 2);
});

test("ticks and systems in the event log are links", () => {
  const { eventLog, picks, list } = eventLogOf();
  eventLog.add(goldenWorld(), EVENTS);
  button(list.children[0], "42").click();
  button(list.children[0], "🚀 Ω").click();
  assert.deepEqual(picks, [["tick", 42], ["system", 3]]);
});

test("the event log keeps and shows a bounded number of events", () => {
  const { eventLog, list } = eventLogOf();
  const note = (/** @type {number} */ tick) => ({ n: 0, tick, type: "note", faction: "Me-2", text: "x", system: null });
  for (let tick = 1; tick <= 40; tick++) eventLog.add(goldenWorld(), Array.from({ length: 100 }, () => note(tick)));
  assert.deepEqual([eventLog.events.length, list.children.length, eventLog.events[0].tick], [3_000, 120, 11]);
  eventLog.clear();
  assert.deepEqual([eventLog.events.length, list.children.length], [0, 0]);
});

test("earlier events are added below, and once", () => {
  const { eventLog, list } = eventLogOf();
  const note = (/** @type {number} */ tick) => ({ n: 0, tick, type: "note", faction: "Me-2", text: String(tick), system: "S1" });
  eventLog.add(goldenWorld(), [note(9), note(10)]);
  eventLog.addEarlier(goldenWorld(), [note(7), note(8), note(9)]);
  assert.deepEqual(eventLog.events.map(({ tick }) => tick), [7, 8, 9, 10]);
  assert.deepEqual(textsOf(list).map((/** @type {string} */ text) => Number.parseInt(text, 10)), [10, 9, 8, 7]);
  assert.deepEqual(eventLog.itemsOfSystem("S1", 2).map((item) => item.textContent), ["10Me-2: 10 — at Ålesund", "9Me-2: 9 — at Ålesund"]);
  assert.deepEqual(eventLog.itemsOfSystem("S2", 2), []);
});

/** @param {Record<string, unknown>} fields */
const playbackOf = (fields) => /** @type {any} */ (Object.assign(new Emitter(), { isLive: true, tickPeriodMs: 500, lastTickAt: 0, isPlaying: false }, fields));

function detailsOf(world = goldenWorld()) {
  const { eventLog } = eventLogOf();
  eventLog.add(world, EVENTS);
  /** @type {unknown[]} */
  const selections = [];
  const playback = playbackOf({ world });
  const details = new DetailsPanel(playback, theme, eventLog, (selection) => selections.push(selection), (_, system) => (system === 0 ? createElement("p", {}, "act") : null));
  const box = element("story");
  const facts = () => Object.fromEntries(box.querySelectorAll("dt").map((/** @type {any} */ name) => [name.textContent, name.parentElement.children[name.parentElement.children.indexOf(name) + 1].textContent]));
  return { details, playback, box, facts, selections };
}

test("the details of a system", () => {
  const { details, box, facts, selections } = detailsOf();
  details.show({ kind: "system", id: 0 });
  assert.equal(box.hidden, false);
  assert.equal(box.querySelector("h2").textContent, "Alpha S0 · home");
  assert.deepEqual(facts(), { Owner: "Crimson", Garrison: "10 ships", Growth: "3 ships a tick", Yield: "0 supply a tick", Lanes: "Ålesund 3, 日本 7" });
  assert.deepEqual(textsOf(box.querySelectorAll("ul")[0]), ["Me-2 1 from 日本, in 7 ticks (3.5 s)"]);
  assert.deepEqual(textsOf(box.querySelectorAll("ul")[1]), ["42 at Alpha: 0 left", "42Me-2: 1 arrive at Alpha", "42Crimson musters 1,000,000,000,000 at Alpha"]);
  assert.equal(box.querySelector(".doing").textContent, "act");
  button(box, "日本").click();
  button(box, "✕").click();
  assert.deepEqual(selections, [{ kind: "system", id: 2 }, null]);
  details.show({ kind: "system", id: 1 });
  assert.equal(facts().Owner, "nobody");
  assert.equal(box.querySelector(".doing").textContent, "");
  details.show(null);
  assert.equal(box.hidden, true);
});

test("the details of a fleet, until it has arrived", () => {
  const { details, box, facts, playback } = detailsOf();
  details.show({ kind: "fleet", id: 7 });
  assert.deepEqual(facts(), { Owner: "Crimson", Strength: "5 ships", From: "Alpha", To: "Ålesund", Departed: "tick 40", Arrives: "tick 43, in 2 ticks (1.0 s); 33 % of its way" });
  playback.world.apply(readFrame(goldenBytes("delta-removed.bin")), 0);
  details.show({ kind: "fleet", id: 7 });
  assert.match(box.textContent, /Fleet F7It has arrived\./);
});

test("details with a focused link are not replaced by the next tick", () => {
  const { details, playback, facts, box } = detailsOf();
  details.show({ kind: "system", id: 0 });
  box.querySelector(".facts").querySelector("button").focus();
  playback.world.apply(readFrame(goldenBytes("delta-changed.bin")), 0);
  details.show({ kind: "system", id: 0 });
  assert.equal(facts().Garrison, "10 ships");
  document.activeElement = null;
  details.refresh();
  details.show({ kind: "system", id: 0 });
  assert.equal(facts().Garrison, "0 ships");
});

test("the table lists active factions before eliminated ones, then the strongest first", () => {
  /** @type {string[]} */
  const picks = [];
  const table = new FactionTable(theme, (faction) => picks.push(faction));
  const world = goldenWorld();
  const totals = { tick: 41, systems: [1, 5, 2], ships: [10, 20_000, 30], supply: [0, 1, 2] };
  table.show(world, totals, [], "Crimson");
  const body = element("factions");
  assert.deepEqual(textsOf(body), ["Ünïcode2302", "Crimson1100", "Me-2520K1"]);
  assert.deepEqual(body.children.map((/** @type {any} */ row) => row.className), ["", "own", "out"]);
  assert.equal(body.children[2].children[2].title, "20,000");
  assert.equal(element("more-factions").hidden, true);
  button(body, "Crimson").click();
  assert.deepEqual(picks, ["Crimson"]);
  const [first] = body.children;
  table.show(world, { ...totals, ships: [99, 20_000, 30] }, [], "");
  assert.equal(body.children[1], first, "a row moves, and stays the same element");
});

test("a trend has the latest sixty ticks", () => {
  const table = new FactionTable(theme, () => {});
  const world = goldenWorld();
  const history = Array.from({ length: 100 }, (_, tick) => ({ tick, systems: [], ships: [tick, 5], supply: [] }));
  table.show(world, history[99], history, "");
  const trend = (/** @type {number} */ row) => {
    const picture = element("factions").children[row].children[4].children[0];
    return [picture.getAttribute("aria-label"), picture.children[0].getAttribute("points").split(" ")];
  };
  const [label, points] = trend(1);
  assert.equal(element("factions").children[1].children[0].textContent, "Ünïcode");
  assert.equal(label, "+0 ships in 60 steps", "a faction that was not in yet had none");
  assert.equal(points.length, 60);
  const [rising, line] = trend(0);
  assert.equal(rising, "+59 ships in 60 steps");
  assert.deepEqual([line[0], line[59]], ["0.0,14.0", "46.0,2.0"]);
});

test("forty factions are listed, and the number of others", () => {
  const table = new FactionTable(theme, () => {});
  const count = 45;
  const world = /** @type {any} */ ({ factions: Array.from({ length: count }, (_, row) => `F${row}`), alive: new Int8Array(count).fill(1), colours: new Array(count).fill("#000000") });
  const zeros = new Array(count).fill(0);
  table.show(world, { tick: 1, systems: zeros, ships: zeros, supply: zeros }, [], "");
  assert.equal(element("factions").children.length, 40);
  assert.deepEqual([element("more-factions").hidden, element("more-factions").textContent], [false, "and 5 more"]);
});

function searchOf() {
  /** @type {unknown[]} */
  const picks = [];
  new Search(playbackOf({ world: goldenWorld() }), { system: (row) => picks.push(row), faction: (id) => picks.push(id) });
  const input = element("search");
  const list = element("found");
  const type = (/** @type {string} */ text) => {
    input.value = text;
    input.fire("input");
    return textsOf(list);
  };
  const press = (/** @type {string} */ key) => input.fire("keydown", { key });
  return { picks, input, list, type, press };
}

test("search ranks names that begin with the text before those that contain it", () => {
  const { type, list } = searchOf();
  assert.deepEqual(type("  L "), ["Alpha Crimson", "Ålesund free", "\u2028line Ünïcode"]);
  assert.deepEqual(type("a"), ["Alpha Crimson"]);
  assert.deepEqual(type("me"), ["Me-2 faction"]);
  assert.deepEqual(type("s3"), ["🚀 Ω Crimson"]);
  assert.deepEqual(type("日"), ["日本 Me-2"]);
  assert.deepEqual([type("nothing"), list.hidden], [[], true]);
  assert.deepEqual([type("   "), list.hidden], [[], true]);
});

test("search works with the keyboard", () => {
  const { type, press, picks, input, list } = searchOf();
  type("l");
  assert.deepEqual([list.hidden, input.getAttribute("aria-expanded"), input.getAttribute("aria-activedescendant")], [false, "true", "found-0"]);
  press("ArrowDown");
  assert.equal(input.getAttribute("aria-activedescendant"), "found-1");
  press("ArrowUp");
  press("ArrowUp");
  assert.equal(input.getAttribute("aria-activedescendant"), "found-2", "round the end");
  assert.deepEqual(list.children.map((/** @type {any} */ item) => item.getAttribute("aria-selected")), ["false", "false", "true"]);
  press("ArrowDown");
  press("Enter");
  assert.deepEqual([picks, input.value, list.hidden], [[0], "", true]);
  press("Enter");
  type("cri");
  press("Escape");
  assert.deepEqual([picks, input.value], [[0], ""]);
  type("cri");
  list.children[0].fire("mousedown");
  assert.deepEqual(picks, [0, "Crimson"]);
});

test("the slash key focuses search, except in text fields", () => {
  const { input } = searchOf();
  const press = (/** @type {any} */ target) => document.fire("keydown", { key: "/", ctrlKey: false, target });
  assert.ok(!press(input).defaultPrevented);
  assert.ok(press(document.body).defaultPrevented);
  assert.equal(document.activeElement, input);
});

/** @param {Record<string, unknown>} connection @param {Record<string, unknown>} playback */
function statusOf(connection, playback) {
  const link = Object.assign(new Emitter(), { connected: true, refusal: "", roundTripMs: NaN, ...connection });
  const scene = playbackOf(playback);
  const status = new StatusBar(/** @type {any} */ (link), scene);
  const show = () => {
    status.show();
    return [element("status").dataset.state, element("status").textContent, element("alarm").textContent];
  };
  return { link, scene, show };
}

test("the status says whether the page is live", () => {
  const live = { tick: 1_234, status: "running", winner: null, timestampMs: 0 };
  const states = [
    [{ connected: false }, {}, ["waiting", "connecting …", ""]],
    [{}, {}, ["waiting", "waiting for the world …", ""]],
    [{ connected: false, problem: "The viz is full." }, {}, ["fault", "not connected", "The viz is full."]],
    [{ connected: false, problem: "The viz is full." }, { live, world: live }, ["lost", "connection lost", "The connection is lost; reconnecting … The viz is full. What is shown is tick 1234."]],
    [{ refusal: "too many" }, { live, world: live }, ["fault", "refused", "too many"]],
    [{ connected: false }, { live, world: live }, ["lost", "connection lost", "The connection is lost; reconnecting … What is shown is tick 1234."]],
    [{}, { live, world: live }, ["live", "live", ""]],
    [{}, { live, world: { ...live, tick: 234 }, isLive: false }, ["past", "past, 1,000 ticks ago", ""]],
    [{}, { live: { ...live, status: "finished", winner: "Me" }, world: live }, ["finished", "finished: Me wins", ""]],
    [{}, { live: { ...live, status: "finished" }, world: live, isLive: false }, ["past", "finished: a draw", ""]],
    [{}, { live, world: live, lastTickAt: -4_001 }, ["stale", "stale", "The world stands still: no tick for 4 s. What is shown is tick 1234."]],
    [{}, { live, world: live, lastTickAt: -4_001, tickPeriodMs: 2_000 }, ["live", "live", ""]],
  ];
  for (const [connection, playback, expected] of /** @type {any[]} */ (states)) assert.deepEqual(statusOf(connection, playback).show(), expected);
});

test("a missing world and a page that cannot start have an alarm", ({ mock }) => {
  let now = 1_000;
  mock.method(performance, "now", () => now);
  const { show } = statusOf({ sim: "one" }, {});
  assert.deepEqual(show(), ["waiting", "waiting for the world …", ""]);
  now += 5_000;
  assert.match(show()[2], /^The viz is connected, and has not sent the world of one\./);
  setGlobals({ pageStart: { problem: "This browser has no canvas." } });
  assert.deepEqual(show(), ["fault", "not working", "This browser has no canvas."]);
  setGlobals({ pageStart: undefined });
});

test("a fault of the connection is shown until the next tick, one of the playback for 8 s", ({ mock: { timers } }) => {
  timers.enable({ apis: ["setTimeout"] });
  const world = { tick: 5, status: "running", timestampMs: 0 };
  const { link, scene, show } = statusOf({}, { live: world, world });
  link.emit("fault", "Redis is away");
  assert.deepEqual(show(), ["fault", "not live", "Redis is away. What is shown is tick 5."]);
  link.emit("tick", undefined);
  assert.equal(show()[0], "live");
  scene.emit("fault", "tick 3 is gone");
  assert.deepEqual(show(), ["fault", "not shown", "tick 3 is gone."]);
  scene.emit("world", world);
  assert.equal(show()[0], "live");
  scene.emit("fault", "tick 3 is gone");
  timers.tick(7_999);
  assert.equal(show()[0], "fault");
  timers.tick(1);
  assert.equal(show()[0], "live");
});

test("tick, rate, latency and worker are shown", () => {
  const world = { tick: 12_345, status: "running", timestampMs: 0 };
  const facts = (/** @type {Record<string, unknown>} */ connection, tickPeriodMs = 500) => {
    statusOf(connection, { live: world, world, tickPeriodMs }).show();
    return ["tick", "rate", "latency"].map((id) => element(id).textContent);
  };
  assert.deepEqual(facts({}), ["12,345", "2.0/s", "–"]);
  assert.deepEqual(facts({ roundTripMs: 0.4 }, 3_000), ["12,345", "0.33/s", "<1 ms"]);
  assert.deepEqual(facts({ roundTripMs: 12.6 }), ["12,345", "2.0/s", "13 ms"]);
  const { link } = statusOf({}, {});
  link.emit("worker", "w-1");
  assert.equal(element("worker").textContent, "w-1");
  link.emit("worker", null);
  assert.equal(element("worker").textContent, "none");
});

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
  assert.deepEqual([slider.min, slider.max, slider.value, element("moment").textContent], ["10", "100", "50", "50"]);
  assert.deepEqual([element("play-pause").textContent, element("live").getAttribute("aria-pressed")], ["❚❚", "true"]);
  playback.isLive = false;
  playback.world = { tick: 1_050, timestampMs: Date.UTC(2026, 0, 1) };
  playback.emit("mode", undefined);
  assert.deepEqual([element("play-pause").textContent, element("live").getAttribute("aria-pressed")], ["▶", "false"]);
  assert.match(element("moment").textContent, /^1,050 · /);
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
  assert.deepEqual([slider.value, element("moment").textContent, playback.isPlaying], ["45", "45", false]);
  await new Promise((done) => setTimeout(done, 90));
  assert.deepEqual(calls, [["seek", 45]]);
  bar.show();
  assert.equal(slider.value, "50");
});

test("buttons of the timeline bar step, play, and seek to battles", () => {
  const { playback, calls } = timelineBarOf();
  for (const id of ["step-back", "step-on", "battle-before", "battle-after", "live", "play-pause"]) element(id).click();
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
    // The plot for these lines is there already.
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

test("the picker lists the sims, and the one that is watched", async () => {
  /** @type {string[]} */
  const picks = [];
  const picker = new SimPicker((sim) => picks.push(sim));
  const select = element("sims");
  picker.show("mine");
  assert.deepEqual([textsOf(select), select.value], [["mine"], "mine"]);
  fakeFetch(() => jsonResponse({ sims: [{ id: "a", status: "running" }, { id: "b", status: "finished" }] }));
  await picker.refresh();
  assert.deepEqual([textsOf(select), select.value], [["a", "b (finished)", "mine"], "mine"]);
  const [first] = select.children;
  select.fire("pointerdown");
  await settle();
  assert.equal(select.children[0], first, "an unchanged list stays");
  fakeFetch(() => jsonResponse({}, { status: 503 }));
  select.fire("focus");
  await settle();
  assert.equal(select.children.length, 3);
  select.value = "b";
  select.fire("change");
  assert.deepEqual(picks, ["b"]);
});

test("tabs show one panel, by click and by arrow keys", () => {
  startTabs();
  const tabs = element("tabs").children;
  const chosen = () => [tabs.findIndex((/** @type {any} */ tab) => tab.getAttribute("aria-selected") === "true"), document.querySelectorAll(".chosen").map((/** @type {any} */ panel) => panel.id).join()];
  assert.deepEqual(chosen(), [0, "factions-panel"]);
  tabs[1].click();
  assert.deepEqual(chosen(), [1, "course-panel"]);
  assert.deepEqual(tabs.map((/** @type {any} */ tab) => tab.tabIndex), [-1, 0, -1, -1]);
  tabs[1].fire("keydown", { key: "ArrowRight" });
  tabs[2].fire("keydown", { key: "ArrowRight" });
  assert.deepEqual(chosen(), [0, "factions-panel"], "the tab that is hidden is passed over");
  tabs[0].fire("keydown", { key: "ArrowLeft" });
  assert.deepEqual(chosen(), [2, "events-panel"]);
  assert.equal(document.activeElement, tabs[2]);
  tabs[2].fire("keydown", { key: "Enter" });
  assert.deepEqual(chosen(), [2, "events-panel"]);
});
