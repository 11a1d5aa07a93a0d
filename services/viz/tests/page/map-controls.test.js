/** The controls of the map: buttons, the pointer over objects, clicks and drags. */

import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { connectMapControls } from "../../src/sector/viz/page/map/map-controls.js";
import { MapView } from "../../src/sector/viz/page/map/map-view.js";
import { installDom } from "./support/dom.js";
import { fakeTheme } from "./support/globals.js";
import { goldenWorld } from "./support/golden.js";

/** @type {any} */
let document;
/** @type {MapView} */
let mapView;
/** @type {any[]} */
let calls;
/** @type {any} */
let playback;
let isOwnSystem = false;

beforeEach(() => {
  document = installDom();
  calls = [];
  isOwnSystem = false;
  mapView = new MapView(document.getElementById("base-layer"), document.getElementById("fleet-layer"), /** @type {any} */ (fakeTheme()));
  mapView.camera.setView([0, 0, 20]);
  playback = { world: goldenWorld(), time: 41 };
  const record = (/** @type {string} */ name) => (/** @type {any[]} */ ...args) => calls.push([name, ...args]) > 0;
  const dragOrder = { start: () => isOwnSystem, move: record("move"), drop: record("drop"), cancel: record("cancel") };
  connectMapControls(mapView, playback, /** @type {any} */ (dragOrder), record("select"));
});

/** @param {string} type @param {number} x of the world @param {number} y */
function point(type, x, y) {
  const { camera } = mapView;
  document.getElementById("fleet-layer").fire(type, { offsetX: x * camera.scale + camera.x, offsetY: y * camera.scale + camera.y, pointerId: 1, button: 0 });
}

test("a click selects the system below the pointer, or nothing", () => {
  for (const [x, y] of [[0, -5], [300, 300]]) {
    point("pointerdown", x, y);
    point("pointerup", x, y);
  }
  assert.deepEqual(calls.filter(([name]) => name === "select"), [["select", { kind: "system", id: 1 }], ["select", null]]);
});

test("the system under the pointer is highlighted until the pointer leaves", () => {
  const { selectionLayer, canvas } = mapView;
  point("pointermove", 0, -5);
  assert.deepEqual([selectionLayer.hover, canvas.style.cursor], [{ kind: "system", id: 1 }, "pointer"]);
  const { version } = selectionLayer;
  point("pointermove", 0, -5);
  assert.equal(selectionLayer.version, version, "nothing is drawn again for the same system");
  point("pointermove", 300, 300);
  assert.deepEqual([selectionLayer.hover, canvas.style.cursor], [null, ""]);
});

test("a drag from an own system is an order, any other drag pans", () => {
  const { x } = mapView.camera;
  point("pointerdown", 0, -5);
  point("pointermove", 10, -5);
  assert.notEqual(mapView.camera.x, x);
  point("pointerup", 10, -5);
  isOwnSystem = true;
  point("pointerdown", 0, -5);
  point("pointermove", 10, -5);
  point("pointerup", 10, -5);
  assert.deepEqual(calls.map(([name]) => name), ["move", "drop"]);
});

test("the buttons zoom about the middle, and fit", () => {
  const [x, y] = mapView.camera.view;
  document.getElementById("zoom-in").click();
  assert.deepEqual(mapView.camera.view.map((each) => each.toFixed(3)), [x.toFixed(3), y.toFixed(3), "28.000"]);
  document.getElementById("zoom-out").click();
  assert.equal(mapView.camera.scale.toFixed(3), "20.000");
  document.getElementById("fit").click();
  assert.equal(mapView.camera.isMoved, false);
});

test("without a world nothing is selected", () => {
  playback.world = null;
  point("pointermove", 0, -5);
  point("pointerdown", 0, -5);
  point("pointerup", 0, -5);
  assert.deepEqual([mapView.selectionLayer.hover, calls.filter(([name]) => name === "select")], [null, []]);
});
