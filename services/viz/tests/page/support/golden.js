/** Golden files from `page_golden.py`, and worlds created from them. */

import { readdirSync, readFileSync } from "node:fs";

import { readFrame } from "../../../src/sector/viz/page/codec/frame.js";
import { WorldMap } from "../../../src/sector/viz/page/world/world-map.js";
import { World } from "../../../src/sector/viz/page/world/world.js";

const FOLDER = new URL("../golden/", import.meta.url);

/**
 * Return the names of the golden files of one kind, without their extension.
 * @param {string} kind such as `frame`
 */
export function goldenNames(kind) {
  const names = readdirSync(FOLDER).filter((name) => name.startsWith(`${kind}-`) && name.endsWith(".json"));
  if (!names.length) throw new Error(`there are no golden files of kind ${kind}`);
  return names.map((name) => name.slice(0, -".json".length));
}

/** @param {string} name of the file @returns {Uint8Array} at the start of its buffer, as with fetch */
export function goldenBytes(name) {
  return new Uint8Array(readFileSync(new URL(name, FOLDER)));
}

/** @param {string} name without extension */
export function goldenJson(name) {
  return JSON.parse(readFileSync(new URL(`${name}.json`, FOLDER), "utf8"));
}

const TYPES = { Int8Array: ["?", "b"], Int16Array: ["h"], Int32Array: ["i"], Float64Array: ["q"] };

/**
 * Return a frame of the page as the golden JSON has it, with the typecodes of `expected` where the array is one for them.
 * @param {import("../../../src/sector/viz/page/codec/frame.js").Frame} frame
 * @param {any} expected
 */
export function frameAsJson({ kind, id, meta, tables }, expected) {
  const tablesAsJson = Object.fromEntries(
    Object.entries(tables).map(([name, { rows, prefix, columns, labels }]) => {
      const columnsAsJson = Object.entries(columns).map(([column, { values, refersTo, prefix: idPrefix }]) => {
        const type = expected.tables[name]?.columns[column]?.type;
        const array = values.constructor.name;
        return [column, { type: TYPES[array].includes(type) ? type : array, values: Array.from(values), refersTo, prefix: idPrefix }];
      });
      return [name, { rows, prefix, columns: Object.fromEntries(columnsAsJson), labels }];
    }),
  );
  return { kind, id, meta, tables: tablesAsJson };
}

export function goldenMap() {
  return new WorldMap(readFrame(goldenBytes("frame-map.bin")));
}

/** @param {WorldMap} [map] */
export function goldenWorld(map = goldenMap()) {
  return new World(map, readFrame(goldenBytes("frame-snapshot.bin")), 0);
}

/**
 * Return a frame of kind `snapshot` or `delta` that has a tick and no more.
 * @param {string} kind
 * @param {number} tick
 */
export function bareFrame(kind, tick) {
  return { kind, id: "", meta: { tick, status: "running", winner: null }, tables: {} };
}

/**
 * Return a tick update with the golden snapshot at another tick.
 * @param {number} tick
 * @param {Record<string, any>} [meta]
 */
export function snapshotUpdate(tick, meta = {}) {
  const frame = readFrame(goldenBytes("frame-snapshot.bin"));
  return { frame: { ...frame, meta: { ...frame.meta, tick, ...meta } }, events: null, timestampMs: 0, epoch: 1 };
}

/**
 * Return a tick update whose delta changes only the tick.
 * @param {number} tick
 * @param {number} [timestampMs]
 */
export function tickUpdate(tick, timestampMs = 0) {
  return { frame: bareFrame("delta", tick), events: null, timestampMs, epoch: 1 };
}

/**
 * Return the bytes of a tick update.
 * @param {Uint8Array} frame
 * @param {Uint8Array} [events]
 */
export function tickUpdateBytes(frame, events = new Uint8Array()) {
  const padded = (/** @type {number} */ length) => length + (-length & 7);
  const bytes = new Uint8Array(24 + padded(frame.length) + padded(events.length));
  const view = new DataView(bytes.buffer);
  view.setUint32(0, frame.length, true);
  view.setUint32(4, events.length, true);
  bytes.set(frame, 24);
  bytes.set(events, 24 + padded(frame.length));
  return bytes;
}
