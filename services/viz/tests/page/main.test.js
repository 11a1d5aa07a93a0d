/** The page as a whole: messages appear in the panels, and the address names the sim, tick and view shown. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { deflateRawSync } from "node:zlib";

import { installDom } from "./support/dom.js";
import { fakeFetch, jsonResponse, setGlobals, until } from "./support/globals.js";
import { goldenBytes, goldenJson, tickUpdateBytes } from "./support/golden.js";

const document = installDom({ sim: "one", api: "" });
/** @type {Map<string, (detail?: any) => void>} */
const listeners = new Map();
/** @type {any[][]} */
const messages = [];
// It sets the global `io`, which a fake replaces before the page connects.
await import("../../src/sector/viz/page/vendor/socket.io.msgpack.min.js");
setGlobals({
  io: () => ({
    connected: true,
    on: (/** @type {string} */ name, /** @type {() => void} */ listener) => listeners.set(name, listener),
    emit: (/** @type {any[]} */ ...args) => messages.push(args),
  }),
});
/** @type {(now: number) => void} */
let frame = () => {};
setGlobals({ requestAnimationFrame: (/** @type {typeof frame} */ callback) => void (frame = callback) });
const PAST = tickUpdateBytes(goldenBytes("frame-snapshot.bin"), goldenBytes("events-all.bin"));
const TICKS = tickUpdateBytes(goldenBytes("delta-nothing.bin"), goldenBytes("events-all.bin"));
const requests = fakeFetch(({ pathname }) => {
  if (pathname.endsWith("/sims")) return jsonResponse({ sims: [{ id: "one", status: "running" }, { id: "two", status: "running" }] });
  if (pathname.endsWith("/timeline")) return jsonResponse({ first: 3, totals: [], battles: [[5, 1]] });
  return new Response(pathname.endsWith("/state") ? PAST : TICKS);
});

const { app } = await import("../../src/sector/viz/page/main.js");
/** @type {import("../../src/sector/viz/page/app.js").App} */
const { mapView, playback } = app;

/** @param {number} ms */
const pause = (ms) => new Promise((done) => setTimeout(done, ms));

/** @param {string} name @param {any} detail @param {() => boolean} isRead */
async function receive(name, detail, isRead) {
  listeners.get(name)?.(detail);
  await until(isRead);
}

let now = performance.now();
const drawFrame = () => frame((now += 250));
/** @param {string} sim */
const world = (sim) => ({ sim, worker: "w-1", map_id: goldenJson("frame-map").id, map: deflateRawSync(goldenBytes("frame-map.bin")), moment: deflateRawSync(tickUpdateBytes(goldenBytes("frame-snapshot.bin"))) });
const textOf = (/** @type {string} */ id) => document.getElementById(id).textContent;

test("it watches the sim of the viz", async () => {
  assert.deepEqual(messages.find(([name]) => name === "watch")?.slice(1, 3), ["one", ""]);
  assert.equal(document.title, "one · Sector");
  await pause(10);
  assert.deepEqual(document.getElementById("sims").children.map((/** @type {any} */ option) => option.value), ["one", "two"]);
});

test("a world appears on the map and in the panels", async () => {
  await receive("world", world("one"), () => playback.live?.tick === 41);
  await until(() => requests.some(({ path }) => path.endsWith("/timeline")));
  await pause(10);
  drawFrame();
  assert.equal(playback.live?.tick, 41);
  assert.equal(mapView.frameCount, 1);
  assert.equal(document.getElementById("factions").children.length, 3);
  assert.equal(textOf("worker"), "w-1");
  assert.deepEqual([document.getElementById("scrubber").min, document.getElementById("scrubber").max], ["3", "41"]);
});

test("a tick appears in the event log", async () => {
  await receive("tick", goldenBytes("moments-tick.deflated"), () => playback.live?.tick === 42);
  drawFrame();
  assert.equal(playback.live?.tick, 42);
  assert.match(textOf("events"), /Crimson keeps 3/);
  assert.equal(mapView.effectLayer.active.length, 4);
});

test("the address leads to a past tick, to a view, and back", async () => {
  location.hash = "#sim=one&tick=12&view=1,2,30";
  globalThis.dispatchEvent(new Event("hashchange"));
  await until(() => !playback.isLive);
  assert.ok(requests.some(({ path }) => path === "/base/sims/one/state?tick=12"));
  assert.equal(playback.isLive, false);
  assert.deepEqual(mapView.camera.view.map((part) => Math.round(part)), [1, 2, 30]);
  drawFrame();
  await pause(420);
  assert.equal(location.hash, "#sim=one&tick=41&view=1,2,30");
  location.hash = "#sim=one";
  globalThis.dispatchEvent(new Event("hashchange"));
  assert.equal(playback.isLive, true);
});

test("the events of the ticks before are requested", async () => {
  await pause(220);
  assert.ok(requests.some(({ path }) => path === "/base/sims/one/ticks?after=22&limit=20"));
  assert.equal(document.getElementById("events").children.length, 5);
});

test("a click on the map selects a system, a faction in the table filters the event log", () => {
  const canvas = document.getElementById("fleet-layer");
  mapView.camera.setView([0, 0, 20]);
  const [x, y] = [mapView.camera.x, mapView.camera.y - 100];
  for (const type of ["pointerdown", "pointerup"]) canvas.fire(type, { offsetX: x, offsetY: y, pointerId: 1, button: 0 });
  assert.deepEqual(mapView.selectionLayer.selection, { kind: "system", id: 1 });
  assert.match(textOf("details"), /Ålesund/);
  const { length } = document.getElementById("events").children;
  const pickFirst = () => document.getElementById("factions").querySelector("button").click();
  pickFirst();
  assert.ok(document.getElementById("events").children.length < length);
  pickFirst();
  assert.equal(document.getElementById("events").children.length, length);
});

test("another sim starts with empty panels", async () => {
  location.hash = "#sim=two";
  globalThis.dispatchEvent(new Event("hashchange"));
  assert.deepEqual(messages.filter(([name]) => name === "watch").at(-1)?.[1], "two");
  assert.equal(document.getElementById("events").children.length, 0);
  assert.equal(mapView.selectionLayer.selection, null);
  await receive("world", world("two"), () => playback.sim === "two");
  drawFrame();
  assert.equal(playback.sim, "two");
  assert.equal(document.title, "two · Sector");
});
