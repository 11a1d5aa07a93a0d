/** The event log, the details and the table of factions, with the elements of the real index.html. */

import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { readEvents } from "../../src/sector/viz/page/codec/event-rows.js";
import { readFrame } from "../../src/sector/viz/page/codec/frame.js";
import { DetailsPanel } from "../../src/sector/viz/page/panels/details.js";
import { EventLog } from "../../src/sector/viz/page/panels/event-log.js";
import { FactionTable } from "../../src/sector/viz/page/panels/faction-table.js";
import { createElement } from "../../src/sector/viz/page/ui/dom.js";
import { installDom } from "./support/dom.js";
import { fakeTheme } from "./support/globals.js";
import { goldenBytes, goldenWorld } from "./support/golden.js";
import { element, playbackOf } from "./support/panels.js";

beforeEach(() => void installDom());

const theme = /** @type {any} */ (fakeTheme());
const EVENTS = readEvents(readFrame(goldenBytes("events-all.bin")));
/** @param {any} parent */
const textsOf = (parent) => parent.children.map((/** @type {any} */ child) => child.textContent);
/** @param {any} parent @param {string} text */
const button = (parent, text) => parent.querySelectorAll("button").find((/** @type {any} */ each) => each.textContent === text);

/** An event log, and what was picked in it. */
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

function detailsOf(world = goldenWorld()) {
  const { eventLog } = eventLogOf();
  eventLog.add(world, EVENTS);
  /** @type {unknown[]} */
  const selections = [];
  const playback = playbackOf({ world });
  const details = new DetailsPanel(playback, theme, eventLog, (selection) => selections.push(selection), (_, system) => (system === 0 ? createElement("p", {}, "act") : null));
  const box = element("details");
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
  assert.equal(facts().Owner, "no owner");
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
