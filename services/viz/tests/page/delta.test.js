/** Deltas: applied to the previous snapshot, they lead to the snapshot that Python computes. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { applyDelta } from "../../src/sector/viz/page/codec/delta.js";
import { readFrame } from "../../src/sector/viz/page/codec/frame.js";
import { World } from "../../src/sector/viz/page/world/world.js";
import { frameAsJson, goldenBytes, goldenMap, goldenJson, goldenNames } from "./support/golden.js";

const map = goldenMap();

for (const name of goldenNames("delta")) {
  const { after, totals } = goldenJson(name);
  const before = () => readFrame(goldenBytes(`${name}.before.bin`));
  const delta = () => readFrame(goldenBytes(`${name}.bin`));

  test(`${name} leads to the snapshot that Python has`, () => {
    const frame = before();
    applyDelta(frame.tables, delta());
    const { tables } = frameAsJson({ ...frame, id: after.id, meta: after.meta }, after);
    assert.deepEqual(tables, after.tables);
  });

  test(`${name} leads a world to the same state and totals`, () => {
    const world = new World(map, before(), 0);
    world.apply(delta(), 1234);
    assert.deepEqual([world.tick, world.status, world.winner, world.timestampMs], [after.meta.tick, after.meta.status, after.meta.winner, 1234]);
    assert.deepEqual(Array.from(world.owner), after.tables.systems.columns.owner.values);
    assert.deepEqual(world.totals(), totals);
  });
}

test("the snapshot that a world is created from does not change", () => {
  const bytes = goldenBytes("delta-all-three.before.bin");
  const world = new World(map, readFrame(bytes), 0);
  world.apply(readFrame(goldenBytes("delta-all-three.bin")), 0);
  assert.deepEqual(bytes, goldenBytes("delta-all-three.before.bin"));
});

test("a delta that adds rows does not change", () => {
  const delta = readFrame(goldenBytes("delta-added.bin"));
  const { tables } = readFrame(goldenBytes("delta-added.before.bin"));
  applyDelta(tables, delta);
  tables.fleets.columns.ships.values.fill(0);
  assert.deepEqual(Array.from(delta.tables["fleets.added"].columns.ships.values), [4, 1]);
});

test("changes of tables that the snapshot does not have are ignored", () => {
  const { tables } = readFrame(goldenBytes("frame-snapshot.bin"));
  const part = { rows: 1, prefix: "", columns: {}, labels: {} };
  applyDelta(tables, { kind: "delta", id: "", meta: {}, tables: { "comets.added": part, "systems.moved": part, systems: part } });
  assert.deepEqual(Object.keys(tables), ["factions", "fleets", "systems"]);
});
