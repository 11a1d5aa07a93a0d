/** The camera, and the gestures that move it. */

import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { Camera } from "../../src/sector/viz/page/map/camera.js";
import { Gestures } from "../../src/sector/viz/page/map/gestures.js";
import { FakeElement, installDom } from "./support/dom.js";

const BOUNDS = { left: -50, right: 50, top: -20, bottom: 30 };

beforeEach(() => void installDom());

/** @param {number} [width] @param {number} [height] */
function fitted(width = 1096, height = 596) {
  const camera = new Camera();
  camera.resize(width, height);
  camera.setBounds(BOUNDS);
  return camera;
}

/** @param {number[]} actual @param {number[]} expected */
function near(actual, expected) {
  assert.equal(actual.length, expected.length);
  actual.forEach((value, at) => assert.ok(Math.abs(value - expected[at]) < 1e-9, `${actual} is not near ${expected}`));
}

test("it fits the world into the picture, with a margin", () => {
  const camera = fitted();
  // 100 by 50 units into 1000 by 500 pixels.
  assert.equal(camera.scale, 10);
  assert.deepEqual(camera.view, [0, 5, 10]);
  assert.deepEqual(camera.toWorld(48, 48), { x: -50, y: -20 });
  assert.deepEqual(camera.toWorld(1048, 548), { x: 50, y: 30 });
});

test("a world without extent is shown at half of the maximum scale", () => {
  const camera = new Camera();
  camera.resize(1000, 1000);
  camera.setBounds({ left: 3, right: 3, top: 4, bottom: 4 });
  assert.equal(camera.scale, 80);
  near(camera.view, [3, 4, 80]);
});

test("the world fits between the panels at the edges", () => {
  const camera = fitted();
  camera.insets = { left: 500, right: 0, top: 0, bottom: 0 };
  camera.fit();
  assert.equal(camera.scale, 5);
  assert.deepEqual(camera.toWorld(548, 298), { x: -50, y: 5 });
});

test("a camera that was not moved fits a resized picture, and one that was moved keeps its middle", () => {
  const camera = fitted();
  camera.resize(596, 596);
  assert.equal(camera.scale, 5);
  camera.pan(7, -3);
  const { view } = camera;
  camera.resize(300, 900);
  near(camera.view, view);
  const { version } = camera;
  camera.resize(300, 900);
  assert.equal(camera.version, version);
  camera.setBounds({ ...BOUNDS, right: 500 });
  near(camera.view, view);
  camera.fit();
  assert.equal(camera.isMoved, false);
});

test("a zoom keeps its point fixed, within limits", () => {
  const camera = fitted();
  const before = camera.toWorld(200, 100);
  camera.zoom(2, 200, 100);
  assert.equal(camera.scale, 20);
  near(Object.values(camera.toWorld(200, 100)), Object.values(before));
  for (let count = 0; count < 50; count++) camera.zoom(2, 0, 0);
  assert.equal(camera.scale, 160);
  for (let count = 0; count < 50; count++) camera.zoom(0.5, 0, 0);
  near([camera.scale], [10 / 3]);
});

test("the view that was set is the view", () => {
  const camera = fitted();
  camera.setView([12, -7, 33]);
  near(camera.view, [12, -7, 33]);
  camera.setView([0, 0, 1e9]);
  assert.equal(camera.scale, 160);
});

test("without bounds a view can be set, and fit does nothing", () => {
  const camera = new Camera();
  camera.setView([1, 2, 0.0001]);
  assert.equal(camera.scale, 0.01);
  camera.fit();
  assert.equal(camera.isMoved, false);
});

test("a flight ends at its point, does not zoom out, and never goes backwards", () => {
  const camera = fitted();
  camera.setView([0, 0, 10]);
  camera.flyTo({ x: 40, y: 0 }, 20);
  const { flight } = camera;
  assert.ok(flight);
  camera.animate(flight.since - 16);
  near(camera.view, [0, 0, 10]);
  camera.animate(flight.since + 225);
  near(camera.view, [35, 0, 18.75]);
  camera.animate(flight.since + 1_000);
  near(camera.view, [40, 0, 20]);
  assert.equal(camera.flight, null);
  camera.flyTo({ x: 0, y: 0 }, 5);
  assert.equal(camera.flight?.to[2], 20);
  camera.pan(1, 1);
  assert.equal(camera.flight, null, "a pan ends the flight");
  camera.animate(0);
});

test("with reduced motion the camera does not fly", () => {
  const camera = fitted();
  globalThis.matchMedia = () => /** @type {any} */ ({ matches: true });
  camera.flyTo({ x: 40, y: 1 }, 20);
  assert.equal(camera.flight, null);
  near(camera.view, [40, 1, 20]);
});

/** @param {boolean} canStartOrder */
function gestures(canStartOrder = false) {
  const element = new FakeElement("canvas");
  const camera = fitted();
  /** @type {unknown[][]} */
  const calls = [];
  const listener = (/** @type {string} */ name) => (/** @type {unknown[]} */ ...args) => void calls.push([name, ...args]);
  new Gestures(/** @type {any} */ (element), camera, { pick: listener("pick"), hover: listener("hover"), canStartOrder: () => canStartOrder, dragOrder: listener("drag"), dropOrder: listener("drop"), cancelOrder: listener("cancel") });
  const point = (/** @type {string} */ type, /** @type {number} */ x, /** @type {number} */ y, pointerId = 1, button = 0) => element.fire(type, { offsetX: x, offsetY: y, pointerId, button });
  return { element, camera, calls, point };
}

test("a click picks, though the pointer moves a little", () => {
  const { camera, calls, point } = gestures();
  const { version } = camera;
  point("pointerdown", 10, 10);
  point("pointermove", 12, 12);
  point("pointerup", 12, 12);
  assert.deepEqual(calls, [["cancel"], ["pick", 12, 12]]);
  assert.equal(camera.version, version);
});

test("a drag pans", () => {
  const { camera, calls, point } = gestures();
  const { x, y } = camera;
  point("pointerdown", 10, 10);
  point("pointermove", 20, 30);
  point("pointerup", 20, 30);
  assert.deepEqual([camera.x - x, camera.y - y], [10, 20]);
  assert.deepEqual(calls, []);
});

test("a drag from an own system drags an order and drops it", () => {
  const { camera, calls, point } = gestures(true);
  const { version } = camera;
  point("pointerdown", 10, 10);
  point("pointermove", 20, 30);
  point("pointerup", 21, 31);
  assert.deepEqual(calls, [["drag", 20, 30], ["drop", 21, 31]]);
  assert.equal(camera.version, version);
});

test("a drag that the browser cancels drops no order", () => {
  const { calls, point } = gestures(true);
  point("pointerdown", 10, 10);
  point("pointermove", 20, 30);
  point("pointercancel", 20, 30);
  point("pointerup", 20, 30);
  assert.deepEqual(calls, [["drag", 20, 30], ["cancel"]]);
});

test("two fingers zoom about their middle, and do not pick", () => {
  const { camera, calls, point } = gestures();
  const { scale } = camera;
  point("pointerdown", 100, 100, 1);
  point("pointerdown", 200, 100, 2);
  point("pointermove", 300, 100, 2);
  assert.equal(camera.scale, scale * 2);
  point("pointerup", 300, 100, 2);
  point("pointerup", 100, 100, 1);
  assert.deepEqual(calls, []);
});

test("two fingers at one point do not zoom", () => {
  const { camera, point } = gestures();
  const { scale } = camera;
  point("pointerdown", 100, 100, 1);
  point("pointerdown", 100, 100, 2);
  point("pointermove", 150, 100, 2);
  assert.equal(camera.scale, scale);
});

test("without a button the pointer hovers; other buttons do nothing", () => {
  const { calls, point } = gestures();
  point("pointermove", 3, 4);
  point("pointerdown", 3, 4, 1, 2);
  point("pointerup", 3, 4, 1, 2);
  assert.deepEqual(calls, [["hover", 3, 4]]);
});

test("wheel and double click zoom", () => {
  const { camera, element } = gestures();
  const { scale } = camera;
  const event = element.fire("wheel", { deltaY: -500, deltaMode: 0, ctrlKey: false, offsetX: 0, offsetY: 0 });
  assert.ok(event.defaultPrevented);
  near([camera.scale], [scale * Math.E]);
  element.fire("wheel", { deltaY: 100 / 16, deltaMode: 1, ctrlKey: true, offsetX: 0, offsetY: 0 });
  near([camera.scale], [scale]);
  element.fire("dblclick", { offsetX: 0, offsetY: 0 });
  near([camera.scale], [scale * 2]);
});

test("keys zoom, pan and fit, and other keys are ignored", () => {
  const { camera, element, calls, point } = gestures(true);
  const press = (/** @type {string} */ key, modifiers = {}) => element.fire("keydown", { key, ctrlKey: false, metaKey: false, altKey: false, ...modifiers });
  const { scale, x, y } = camera;
  press("+");
  near([camera.scale], [scale * 1.25]);
  press("-");
  near([camera.scale], [scale]);
  for (const key of ["ArrowLeft", "ArrowUp"]) press(key);
  near([camera.x - x, camera.y - y], [60, 60]);
  for (const key of ["ArrowRight", "ArrowDown"]) assert.ok(press(key).defaultPrevented);
  near([camera.x, camera.y], [x, y]);
  press("=");
  press("0");
  assert.equal(camera.isMoved, false);
  assert.ok(!press("x").defaultPrevented);
  assert.ok(!press("+", { ctrlKey: true }).defaultPrevented);
  point("pointerdown", 10, 10);
  press("Escape");
  assert.deepEqual(calls, [["cancel"]]);
});
