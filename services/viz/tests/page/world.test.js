/** The world and its map: owners, neighbours, positions of fleets, and labels. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { readFrame } from "../../src/sector/viz/page/codec/frame.js";
import { Camera } from "../../src/sector/viz/page/map/camera.js";
import { fleetPosition } from "../../src/sector/viz/page/map/fleet-layer.js";
import { orderByImportance, placeLabels } from "../../src/sector/viz/page/map/labels.js";
import { SelectionLayer, selectionPosition } from "../../src/sector/viz/page/map/selection-layer.js";
import { FakeContext, fakeTheme } from "./support/globals.js";
import { bareFrame, goldenBytes, goldenMap, goldenWorld } from "./support/golden.js";

test("lanes connect both systems", () => {
  const map = goldenMap();
  assert.deepEqual(map.neighbours(0), [{ to: 1, length: 3 }, { to: 2, length: 7 }]);
  assert.deepEqual(map.neighbours(1), [{ to: 0, length: 3 }, { to: 2, length: 4 }]);
  assert.deepEqual(map.neighbours(5), []);
});

test("the bounds contain all systems", () => {
  assert.deepEqual(goldenMap().bounds, { left: -20, right: 1e6, top: -1e6, bottom: 5 });
});

test("a world has its tick, status and tables", () => {
  const world = goldenWorld();
  assert.deepEqual([world.tick, world.status, world.winner], [41, "running", null]);
  assert.deepEqual(world.factions, ["Crimson", "Me-2", "Ünïcode"]);
  assert.deepEqual(world.colours, ["#1f77b4", "#ff7f0e", "#2ca02c"]);
  assert.deepEqual(Array.from(world.alive), [1, 0, 1]);
  assert.equal(world.ships[3], 10 ** 12);
});

test("totals count garrisons and fleets, but not neutral ones", () => {
  assert.deepEqual(goldenWorld().totals(), {
    tick: 41,
    systems: [2, 1, 1],
    ships: [10 + 10 ** 12 + 5, 30 + 1, 10 ** 12],
    supply: [10 ** 12, 10 ** 12 - 1, 10 ** 12 - 2],
  });
});

test("versions increase only when owners, factions or fleets change", () => {
  const counts = (/** @type {string} */ name) => {
    const world = goldenWorld();
    world.apply(name ? readFrame(goldenBytes(`delta-${name}.bin`)) : bareFrame("delta", 42), 0);
    return [world.ownerVersion, world.fleetVersion];
  };
  assert.deepEqual(counts(""), [0, 0]);
  assert.deepEqual(counts("changed"), [1, 0]);
  assert.deepEqual(counts("changed-narrow"), [0, 0]);
  assert.deepEqual(counts("added-with-labels"), [1, 0]);
  assert.deepEqual(counts("removed"), [0, 1]);
  assert.deepEqual(counts("added"), [0, 1]);
});

test("a fleet moves from its origin to its target, and no further", () => {
  const world = goldenWorld();
  // From S0 at (-20, 5) to S1 at (0, -5), ticks 40 to 43.
  assert.deepEqual(fleetPosition(world, 0, 40), { x: -20, y: 5 });
  assert.deepEqual(fleetPosition(world, 0, 41.5), { x: -10, y: 0 });
  assert.deepEqual(fleetPosition(world, 0, 43), { x: 0, y: -5 });
  assert.deepEqual(fleetPosition(world, 0, 99), { x: 0, y: -5 });
  assert.deepEqual(fleetPosition(world, 0, 0), { x: -20, y: 5 });
});

test("a selection has a position as long as the object exists", () => {
  const world = goldenWorld();
  assert.deepEqual(selectionPosition(world, { kind: "system", id: 2 }, 41), { x: 20, y: 5 });
  assert.equal(selectionPosition(world, { kind: "system", id: 6 }, 41), null);
  assert.deepEqual(selectionPosition(world, { kind: "fleet", id: 2 ** 40 }, 48), { x: -20, y: 5 });
  assert.equal(selectionPosition(world, { kind: "fleet", id: 6 }, 41), null);
});

test("the selection, the hovered object and the order arrow are drawn", () => {
  const context = new FakeContext({ width: 10, height: 10 });
  const layer = new SelectionLayer(/** @type {any} */ (context), new Camera(), /** @type {any} */ (fakeTheme()));
  const draw = () => {
    context.calls.length = 0;
    layer.draw(goldenWorld(), 41, 10);
    return [context.count("arc"), context.count("lineTo"), context.count("fillText")];
  };
  assert.deepEqual(draw(), [0, 0, 0]);
  layer.set({ selection: { kind: "system", id: 1 }, hover: { kind: "fleet", id: 7 } });
  assert.deepEqual(draw(), [2, 0, 0]);
  layer.set({ selection: { kind: "fleet", id: 6 }, hover: null, orderArrow: { from: 0, to: { x: 5, y: 6 }, target: null, text: "" } });
  assert.deepEqual(draw(), [0, 1, 0]);
  assert.deepEqual(context.calls.find(([name]) => name === "lineTo"), ["lineTo", 5, 6]);
  layer.set({ orderArrow: { from: 0, to: { x: 5, y: 6 }, target: 1, text: "5 ships" } });
  assert.deepEqual(draw(), [0, 1, 1]);
  assert.deepEqual(context.calls.find(([name]) => name === "lineTo"), ["lineTo", 0, -5]);
  assert.equal(layer.version, 3);
});

/** @param {Partial<import("../../src/sector/viz/page/world/world-map.js").WorldMap>} fields */
const mapOf = (fields) => /** @type {import("../../src/sector/viz/page/world/world-map.js").WorldMap} */ ({ count: fields.growth?.length, homes: Int32Array.of(), ...fields });

test("homes come first, then systems by growth, then by row", () => {
  const map = mapOf({ growth: Int32Array.of(1, 3, 0, 3, 2), homes: Int32Array.of(2, 0) });
  assert.deepEqual([...orderByImportance(map)], [0, 2, 1, 3, 4]);
});

/** @param {number[]} x @param {number[]} y @param {boolean} withNames @param {[number, number]} size of the picture */
function labels(x, y, withNames = false, [width, height] = [1000, 1000]) {
  const camera = Object.assign(new Camera(), { width, height });
  const map = mapOf({ growth: new Int32Array(x.length), x: Int32Array.from(x), y: Int32Array.from(y), names: x.map(() => "A long name") });
  return placeLabels(map, orderByImportance(map), camera, { size: 10, reach: 5, withNames });
}

test("overlapping labels are omitted", () => {
  assert.deepEqual(labels([100, 110, 200], [100, 100, 100]), [0, 2]);
  assert.deepEqual(labels([100, 140], [100, 100], true), [0], "names need more room than numbers");
  assert.deepEqual(labels([100, 140], [100, 100], false), [0, 1]);
  assert.deepEqual(labels([100, 100, 100], [98, 100, 140]), [0, 2], "in the next row of the picture");
});

test("systems outside the picture have no label", () => {
  assert.deepEqual(labels([-21, -20, 1020, 1021, 500, 500], [500, 500, 500, 500, -21, 1021]), [1, 2]);
});

test("a small picture has few labels", () => {
  assert.equal(labels([0, 40, 80, 120], [50, 50, 50, 50], false, [120, 100]).length, 3);
});
