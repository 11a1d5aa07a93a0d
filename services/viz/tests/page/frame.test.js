/** Frames: the page decodes the golden frames to the values that Python has, and refuses damaged ones. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { FrameError, readFrame } from "../../src/sector/viz/page/codec/frame.js";
import { frameAsJson, goldenBytes, goldenJson, goldenNames } from "./support/golden.js";

for (const name of goldenNames("frame")) {
  test(`${name} is decoded as Python decodes it`, () => {
    const expected = goldenJson(name);
    assert.deepEqual(frameAsJson(readFrame(goldenBytes(`${name}.bin`)), expected), expected);
  });
}

for (const name of goldenNames("damaged")) {
  test(`${name} is refused (${goldenJson(name).reason})`, () => {
    assert.throws(() => readFrame(goldenBytes(`${name}.bin`)), FrameError);
  });
}

test("a frame is decoded at any offset of a larger buffer", () => {
  const blob = goldenBytes("frame-snapshot.bin");
  const expected = goldenJson("frame-snapshot");
  for (let offset = 0; offset < 8; offset++) {
    const buffer = new Uint8Array(offset + blob.length + 16).fill(0xff);
    buffer.set(blob, offset);
    const frame = readFrame(buffer.subarray(offset, offset + blob.length));
    assert.deepEqual(frameAsJson(frame, expected), expected, `at ${offset}`);
  }
});

test("a truncated frame is refused, though the buffer is longer", () => {
  const blob = goldenBytes("frame-snapshot.bin");
  for (let length = 0; length < blob.length; length += 8) {
    assert.throws(() => readFrame(blob.subarray(0, length)), FrameError, `${length} bytes`);
  }
});

test("the error names version, table and column", () => {
  const reason = (/** @type {string} */ name) => {
    try {
      readFrame(goldenBytes(`${name}.bin`));
    } catch (error) {
      return /** @type {Error} */ (error).message;
    }
    return "";
  };
  assert.equal(reason("damaged-version-9"), "version 9, this page reads versions 1, 2");
  assert.equal(reason("damaged-unknown-typecode"), "column systems.owner has the unknown typecode d");
  assert.match(reason("damaged-column-beyond-end"), /^column systems\.\w+ exceeds the frame$/);
  assert.equal(reason("damaged-8-bytes-more"), "8 bytes more than its columns");
});

test("columns up to 32 bits are not copied, those of 64 bits become doubles", () => {
  const blob = goldenBytes("frame-map.bin");
  assert.equal(readFrame(blob).tables.systems.columns.x.values.buffer, blob.buffer);
  assert.ok(readFrame(goldenBytes("frame-snapshot.bin")).tables.systems.columns.ships.values instanceof Float64Array);
});
