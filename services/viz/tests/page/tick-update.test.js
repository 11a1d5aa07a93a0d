/** Tick updates: frames one after the other, and the events of each tick. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { FrameError } from "../../src/sector/viz/page/codec/frame.js";
import { inflate, readTickUpdates } from "../../src/sector/viz/page/codec/tick-update.js";
import { goldenBytes, goldenJson, goldenNames } from "./support/golden.js";

const brief = (/** @type {Uint8Array} */ bytes) => readTickUpdates(bytes).map(({ frame, events, timestampMs, epoch }) => ({ frame: frame.id, events: events && events.id, atMs: timestampMs, epoch }));

for (const name of goldenNames("moments")) {
  test(`${name} are decoded as Python encodes them`, () => assert.deepEqual(brief(goldenBytes(`${name}.bin`)), goldenJson(name)));
}

test("truncated tick updates are refused", () => {
  const bytes = goldenBytes("moments-several.bin");
  const counts = new Set();
  for (let length = 8; length < bytes.length; length += 8) {
    try {
      counts.add(readTickUpdates(bytes.subarray(0, length)).length);
    } catch (error) {
      assert.ok(error instanceof FrameError, `${length} bytes: ${error}`);
    }
  }
  // A cut between two updates cannot be detected.
  assert.deepEqual([...counts], [1, 2]);
});

test("tick updates are decoded at any offset of a larger buffer", () => {
  const bytes = goldenBytes("moments-several.bin");
  for (const offset of [1, 4, 8]) {
    const buffer = new Uint8Array(offset + bytes.length + 9);
    buffer.set(bytes, offset);
    assert.deepEqual(brief(buffer.subarray(offset, offset + bytes.length)), goldenJson("moments-several"));
  }
});

test("data deflated by Python is inflated", async () => {
  assert.deepEqual(await inflate(goldenBytes("moments-tick.deflated")), goldenBytes("moments-tick.bin"));
});

test("invalid or truncated deflate data is refused", async () => {
  await assert.rejects(inflate(new Uint8Array([0xff, 0xff, 0xff])));
  await assert.rejects(inflate(goldenBytes("moments-tick.deflated").subarray(0, 40)));
});
