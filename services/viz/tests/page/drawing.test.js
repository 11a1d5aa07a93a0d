/** Drawing, on canvases that record the calls: base layer, territory, fleets, effects, and picking. */

import assert from "node:assert/strict";
import { beforeEach, mock, test } from "node:test";

import { EffectLayer } from "../../src/sector/viz/page/map/effect-layer.js";
import { MapView } from "../../src/sector/viz/page/map/map-view.js";
import { PixelBlitter } from "../../src/sector/viz/page/map/pixel-blitter.js";
import { drawFleetSprites, GRADES, HEADINGS, systemRadius, SpriteSheet, drawSystemSprites } from "../../src/sector/viz/page/map/sprites.js";
import { Territory } from "../../src/sector/viz/page/map/territory.js";
import { installDom } from "./support/dom.js";
import { FakeCanvas, fakeTheme, setGlobals } from "./support/globals.js";
import { goldenWorld, tickUpdate } from "./support/golden.js";

let now = 0;
mock.method(performance, "now", () => now);
/** @type {any} */
let document;
beforeEach(() => void (document = installDom()));

/** @param {number[]} x @param {number[]} y */
function territoryOf(x, y) {
  const bounds = { left: Math.min(...x), right: Math.max(...x), top: Math.min(...y), bottom: Math.max(...y) };
  return new Territory(/** @type {any} */ ({ count: x.length, x: Int32Array.from(x), y: Int32Array.from(y), bounds }));
}

/** @param {Territory} territory @param {number} x @param {number} y of the map */
const cellAt = (territory, x, y) => Math.floor((y - territory.top) / territory.cell) * territory.columns + Math.floor((x - territory.left) / territory.cell);

test("the cells of a territory have the nearest systems, the nearest first", () => {
  const territory = territoryOf([0, 100, 50, 55], [0, 0, 60, 60]);
  const near = (/** @type {number} */ x, /** @type {number} */ y) => [...territory.systems.subarray(3 * cellAt(territory, x, y), 3 * cellAt(territory, x, y) + 3)];
  assert.equal(near(0, 0)[0], 0);
  assert.equal(near(100, 0)[0], 1);
  assert.deepEqual(near(51, 60).slice(0, 2), [2, 3]);
  assert.deepEqual(near(54, 60).slice(0, 2), [3, 2]);
  assert.ok(Math.abs(Math.max(territory.columns, territory.rows) - 400) <= 1);
});

test("each cell has the colour of the nearest owners, and is clear where all systems are neutral", () => {
  const territory = territoryOf([0, 100], [0, 0]);
  /** @param {number} x @param {number} y */
  const pixel = (x, y) => [...territory.image.data.subarray(4 * cellAt(territory, x, y), 4 * cellAt(territory, x, y) + 4)];
  territory.paint(Int16Array.of(0, -1), [[200, 10, 20]], 0.5);
  assert.deepEqual(pixel(0, 0).slice(0, 3), [200, 10, 20]);
  assert.ok(pixel(0, 0)[3] > 100);
  assert.equal(pixel(100, 0)[3], 0);
  territory.paint(Int16Array.of(-1, -1), [], 0.5);
  assert.equal(pixel(0, 0)[3], 0);
});

test("a border between two factions is brighter than one within a faction", () => {
  const territory = territoryOf([0, 10], [0, 10]);
  const middle = 4 * cellAt(territory, 5, 5) + 3;
  territory.paint(Int16Array.of(0, 1), [[200, 0, 0], [0, 0, 200]], 0.3);
  const border = territory.image.data[middle];
  territory.paint(Int16Array.of(0, 0), [[200, 0, 0]], 0.3);
  assert.ok(border > territory.image.data[middle]);
});

test("a map of one system, or of systems at one point, has a territory", () => {
  for (const x of [[7], [7, 7, 7, 7, 7]]) {
    const territory = territoryOf(x, x);
    territory.paint(new Int16Array(x.length), [[1, 2, 3]], 1);
    assert.ok(territory.image.data.some((value) => value > 0));
  }
});

test("sprites have a row for each colour and a column for each grade or heading", () => {
  assert.ok(systemRadius(10, 0) < systemRadius(10, GRADES - 1));
  const systems = drawSystemSprites([null, [1, 2, 3]], { radius: 10, background: "#000", neutral: "#777" });
  assert.deepEqual([systems.canvas.width, systems.canvas.height], [GRADES * systems.size, 2 * systems.size]);
  const fleets = drawFleetSprites([[1, 2, 3]], { length: 10, background: "#000" });
  assert.deepEqual([fleets.canvas.width, fleets.canvas.height], [HEADINGS * fleets.size, GRADES * fleets.size]);
  const empty = drawFleetSprites([], { length: 1, background: "" });
  assert.ok(empty.canvas.width >= 1 && empty.canvas.height >= 1);
});

test("the blitter copies the opaque pixels of its sheet, within the picture", () => {
  const canvas = new FakeCanvas(6, 5);
  const sheet = new SpriteSheet(2, 1, 2);
  const stamps = new Uint32Array([0, 0, 5, 0, 0, 0, 6, 7]);
  /** @type {any} */ (sheet.context).getImageData = () => ({ data: stamps });
  const swarm = new PixelBlitter(/** @type {any} */ (canvas.context));
  swarm.begin(sheet);
  swarm.put(1, 0, 1.4, 2.6);
  for (const [left, top] of [[-1, 0], [0, -1], [5, 0], [0, 4]]) swarm.put(1, 0, left, top);
  swarm.end();
  assert.deepEqual([...swarm.pixels].flatMap((value, at) => (value ? [[at % 6, Math.floor(at / 6), value]] : [])), [[1, 3, 5], [1, 4, 6], [2, 4, 7]]);
  assert.equal(canvas.context.count("putImageData"), 1);
  swarm.begin(sheet);
  assert.ok(swarm.pixels.every((value) => value === 0));
});

function mapView() {
  const view = new MapView(document.getElementById("base-layer"), document.getElementById("fleet-layer"), /** @type {any} */ (fakeTheme()));
  // One unit is ten pixels, and the first system at (200, 50) of the picture.
  view.camera.setView([10, 15, 10]);
  return view;
}

test("the nearest system, or a fleet over it, is picked", () => {
  const view = mapView();
  const world = goldenWorld();
  const at = (/** @type {number} */ x, /** @type {number} */ y, time = 41.5, onlySystems = false) => view.pick(world, time, x * 10 + view.camera.x, y * 10 + view.camera.y, onlySystems);
  assert.deepEqual(at(-20, 5), { kind: "system", id: 0 });
  assert.deepEqual(at(-19, 5.5), { kind: "system", id: 0 });
  assert.equal(at(-14, 5), null);
  assert.deepEqual(at(-10, 0), { kind: "fleet", id: 7 });
  assert.equal(at(-10, 0, 41.5, true), null);
  assert.deepEqual(at(-20, 5, 40), { kind: "system", id: 0 }, "at one place the system comes first");
});

test("the canvases have the pixels of the device", () => {
  const view = mapView();
  assert.deepEqual([view.canvas.width, view.canvas.height], [1200, 800]);
  assert.deepEqual([view.camera.width, view.camera.height], [600, 400]);
});

test("the map is drawn only when anything changed", () => {
  const view = mapView();
  const world = goldenWorld();
  const theme = /** @type {any} */ (view.theme);
  world.tables.fleets.rows = 0;
  const draws = (/** @type {() => void} */ change) => {
    change();
    const { frameCount } = view;
    view.draw(world, 41, now);
    return view.frameCount - frameCount;
  };
  assert.equal(draws(() => {}), 1);
  assert.equal(draws(() => {}), 0);
  assert.equal(draws(() => view.camera.pan(1, 1)), 1);
  assert.equal(draws(() => view.selectionLayer.set({ hover: null })), 1);
  assert.equal(draws(() => theme.version++), 1);
  assert.equal(draws(() => world.apply(tickUpdate(42).frame, 0)), 1);
  assert.equal(draws(() => {}), 0);
  assert.equal(draws(() => (world.tables.fleets.rows = 3)), 1);
  assert.equal(view.fleetCount, 2, "one of three is out of the picture");
});

test("zooming in shows labels: garrisons first, then names", () => {
  const view = mapView();
  const world = goldenWorld();
  const texts = (/** @type {number} */ scale) => {
    const base = /** @type {any} */ (view.baseLayer.context);
    base.calls.length = 0;
    view.camera.setView([0, 0, scale]);
    view.draw(world, 41, (now += 1_000));
    return base.calls.filter(([name]) => name === "fillText").map(([, text]) => text);
  };
  assert.deepEqual(texts(4), []);
  assert.ok(texts(6).includes("20"));
  assert.ok(!texts(6).includes("Ålesund"));
  assert.ok(texts(10).includes("Ålesund"));
  assert.ok(texts(12).includes("10"));
});

test("fleets have their counts if there is room", () => {
  const view = mapView();
  const texts = (/** @type {number} */ scale) => {
    const { context } = /** @type {any} */ (view);
    context.calls.length = 0;
    view.camera.setView([-10, 0, scale]);
    view.draw(goldenWorld(), 41.5, (now += 1_000));
    return context.calls.filter(([name]) => name === "fillText").map(([, text]) => text);
  };
  assert.deepEqual(texts(10), []);
  assert.deepEqual(texts(12), ["5"]);
});

test("while the camera moves a slow base layer is moved, and drawn again later", () => {
  const view = mapView();
  const { baseLayer } = view;
  const world = goldenWorld();
  assert.equal(baseLayer.draw(world, 0), true);
  assert.equal(baseLayer.draw(world, 1), false);
  baseLayer.lastDraw.durationMs = 40;
  view.camera.pan(30, 0);
  assert.equal(baseLayer.draw(world, 100), false);
  assert.equal(baseLayer.canvas.style.transform, "translate(30px, 0px) scale(1)");
  assert.equal(baseLayer.draw(world, 201), true);
  assert.equal(baseLayer.canvas.style.transform, "");
});

test("thousands of small fleets are drawn by the blitter", () => {
  setGlobals({ devicePixelRatio: 1 });
  const view = mapView();
  const world = goldenWorld();
  const { fleets } = world;
  for (const column of Object.values(fleets.columns)) {
    const { values } = column;
    column.values = /** @type {any} */ (values.constructor).from({ length: 2_000 }, () => values[0]);
  }
  fleets.rows = 2_000;
  const context = /** @type {any} */ (view.context);
  view.camera.setView([-10, 0, 3]);
  view.draw(world, 41, 0);
  assert.equal(context.count("drawImage"), 0);
  assert.equal(context.count("putImageData"), 1);
  assert.equal(view.fleetCount, 2_000);
});

/** @param {Record<string, unknown>[]} events */
function effectsOf(...events) {
  const canvas = new FakeCanvas(10, 10);
  const effects = new EffectLayer(/** @type {any} */ (canvas.context), mapView().camera, /** @type {any} */ (fakeTheme()));
  effects.addEvents(goldenWorld(), events.map((event, n) => /** @type {any} */ ({ n, tick: 1, ...event })));
  return effects;
}

test("battles, captures and notes have effects, other events have none", () => {
  const effects = effectsOf(
    { type: "battle", system: "S1", winner: "Me-2" },
    { type: "system_captured", system: "S2", faction: "Crimson" },
    { type: "system_claimed", system: "S3", faction: null },
    { type: "faction_joined", system: "S4", faction: "Later" },
    { type: "note", system: "S0", faction: "Crimson", text: "hello" },
    { type: "note", system: null, faction: "Crimson", text: "nowhere" },
    { type: "fleet_arrived", system: "S0", faction: "Crimson" },
  );
  assert.deepEqual(effects.active.map(({ kind, system, colour, text }) => [kind, system, colour?.[0] ?? null, text]), [
    ["battle", 1, 10, ""],
    ["capture", 2, 0, ""],
    ["capture", 3, null, ""],
    ["capture", 4, null, ""],
    ["note", 0, 0, "hello"],
  ]);
});

test("a long note is cut between characters", () => {
  const text = (/** @type {string} */ note) => effectsOf({ type: "note", system: "S0", faction: null, text: note }).active[0].text;
  assert.equal(text("x".repeat(42)), "x".repeat(42));
  assert.equal(text("x".repeat(43)), `${"x".repeat(42)}…`);
  assert.equal(text(`${"x".repeat(41)}🚀🚀`), `${"x".repeat(41)}🚀…`);
});

test("effects end after their duration, that of notes is longer", () => {
  now = 0;
  const effects = effectsOf({ type: "battle", system: "S1", winner: null }, { type: "system_captured", system: "S2", faction: "Crimson" }, { type: "note", system: "S0", faction: null, text: "hi" });
  const world = goldenWorld();
  const kinds = (/** @type {number} */ at) => [effects.draw(world, at), effects.active.map(({ kind }) => kind).join()];
  assert.deepEqual(kinds(-5), [true, "battle,capture,note"]);
  assert.deepEqual(kinds(699), [true, "battle,capture,note"]);
  assert.deepEqual(kinds(700), [true, "capture,note"]);
  assert.deepEqual(kinds(1_100), [true, "note"]);
  assert.deepEqual(kinds(9_000), [false, ""]);
  effects.addEvents(world, [/** @type {any} */ ({ n: 0, tick: 1, type: "battle", system: "S1", winner: null })]);
  effects.clear();
  assert.deepEqual(kinds(0), [false, ""]);
});

test("there are at most 400 effects at once", () => {
  const effects = effectsOf(...Array.from({ length: 450 }, (_, at) => ({ type: "battle", system: `S${at % 6}`, winner: null })));
  assert.equal(effects.active.length, 400);
});
