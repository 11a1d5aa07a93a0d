/** The address bar: an address is read as it was written, and invalid parts are ignored. */

import assert from "node:assert/strict";
import { mock, test } from "node:test";

import { readAddress, writeAddress } from "../../src/sector/viz/page/core/address.js";
import { setGlobals } from "./support/globals.js";

mock.timers.enable({ apis: ["setTimeout"] });
/** @type {string[]} */
const replaced = [];
setGlobals({
  window: globalThis,
  location: { hash: "" },
  history: {
    replaceState: (/** @type {unknown} */ _, /** @type {string} */ __, /** @type {string} */ hash) => {
      replaced.push(hash);
      location.hash = hash;
    },
  },
});

/** @param {string} hash */
function read(hash) {
  location.hash = hash;
  return readAddress("own");
}

test("an address has sim, tick and view", () => {
  assert.deepEqual(read("#sim=other_2-b&tick=12&view=-1.5,2,0.25"), { sim: "other_2-b", tick: 12, view: [-1.5, 2, 0.25] });
  assert.deepEqual(read("#tick=0"), { sim: "own", tick: 0, view: null });
});

test("without a hash the address is the default sim, live, with the whole map", () => {
  for (const hash of ["", "#", "#nothing", "#sim=&tick=&view="]) assert.deepEqual(read(hash), { sim: "own", tick: null, view: null }, hash);
});

test("invalid sim ids are ignored", () => {
  for (const sim of ["UPPER", "-a", "_a", "a.b", "a/../b", "a b", "<b>", "ä", "a".repeat(64)]) assert.equal(read(`#sim=${encodeURIComponent(sim)}`).sim, "own", sim);
  for (const sim of ["a", "0", "a".repeat(63)]) assert.equal(read(`#sim=${sim}`).sim, sim);
});

test("ticks that are not numbers are ignored", () => {
  for (const tick of ["-1", "1.5", "1e3", "0x10", "Infinity", "9".repeat(16), "%201"]) assert.equal(read(`#tick=${tick}`).tick, null, tick);
  assert.equal(read(`#tick=${"9".repeat(15)}`).tick, 999_999_999_999_999);
});

test("views that are not three numbers, or without a scale, are ignored", () => {
  for (const view of ["1,2", "1,2,3,4", "1,2,0", "1,2,-3", "a,2,3", "1,2,Infinity", "1,2,NaN", "1,2,"]) assert.equal(read(`#view=${view}`).view, null, view);
});

/** @param {import("../../src/sector/viz/page/core/address.js").Address} address @returns {import("../../src/sector/viz/page/core/address.js").Address} */
function writeAndRead(address) {
  writeAddress(address);
  mock.timers.tick(400);
  return readAddress("own");
}

test("an address that was written is read the same", () => {
  for (const view of [null, [1.25, -2.5, 3], [-1000000, 1000000, 160], [0, 0, 0.003412]]) {
    for (const tick of [null, 0, 123_456_789]) {
      const address = { sim: "one", tick, view };
      assert.deepEqual(writeAndRead(address), address);
    }
  }
});

test("the scale of a wide map has significant digits", () => {
  assert.deepEqual(writeAndRead({ sim: "one", tick: null, view: [1, 2, 0.0034567] }).view, [1, 2, 0.003457]);
});

test("of several addresses the last one is written, after a delay, and once", () => {
  replaced.length = 0;
  for (let tick = 0; tick < 5; tick++) writeAddress({ sim: "one", tick, view: null });
  mock.timers.tick(399);
  assert.deepEqual(replaced, []);
  mock.timers.tick(1);
  writeAddress({ sim: "one", tick: 4, view: null });
  mock.timers.tick(1_000);
  assert.deepEqual(replaced, ["#sim=one&tick=4"]);
});
