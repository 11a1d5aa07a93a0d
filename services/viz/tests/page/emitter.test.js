/** The emitter: listeners are called by name, in their order. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { Emitter } from "../../src/sector/viz/page/core/emitter.js";

test("only the listeners of the event are called, in their order", () => {
  const emitter = new Emitter();
  /** @type {string[]} */
  const calls = [];
  emitter.on("a", (detail) => calls.push(`first ${detail}`));
  emitter.on("a", (detail) => calls.push(`second ${detail}`));
  emitter.on("b", (detail) => calls.push(`other ${detail}`));
  emitter.emit("a", 1);
  emitter.emit("c", 2);
  assert.deepEqual(calls, ["first 1", "second 1"]);
});

test("a listener that is added during an event gets the next one", () => {
  const emitter = new Emitter();
  let calls = 0;
  emitter.on("a", () => emitter.on("a", () => calls++));
  emitter.emit("a", undefined);
  assert.equal(calls, 0);
  emitter.emit("a", undefined);
  assert.equal(calls, 1);
});
