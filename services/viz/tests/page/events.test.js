/** Events: the rows of a frame of events, equal to those of Python, and their texts. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { readEvents, systemRow } from "../../src/sector/viz/page/codec/event-rows.js";
import { readFrame } from "../../src/sector/viz/page/codec/frame.js";
import { involvesFaction, KIND_BY_TYPE, EVENT_KINDS, describeEvent } from "../../src/sector/viz/page/panels/event-text.js";
import { goldenBytes, goldenJson, goldenNames } from "./support/golden.js";

for (const name of goldenNames("events")) {
  test(`${name}: the rows are those of Python, in the same order`, () => {
    const rows = readEvents(readFrame(goldenBytes(`${name}.bin`)));
    assert.deepEqual(rows.map(({ n, ...row }) => row), goldenJson(name));
    assert.deepEqual(rows.map(({ n }) => n), rows.map(({ n }) => n).sort((a, b) => a - b));
  });
}

test("there are no events without a frame", () => assert.deepEqual(readEvents(null), []));

test("the row of a system is the number in its id", () => {
  assert.equal(systemRow("S0"), 0);
  assert.equal(systemRow("S99999"), 99999);
});

/** @param {string} type @param {Record<string, unknown>} fields */
function textOf(type, fields) {
  const parts = describeEvent({ n: 0, tick: 1, type, ...fields });
  return parts?.map((part) => (typeof part === "string" ? part : "faction" in part ? `<${part.faction}>` : `[${part.system}]`)).join("");
}

test("each event has its text", () => {
  const forces = [{ faction: null, ships: 1200 }, { faction: "Me", ships: 3 }];
  const sentences = [
    [textOf("battle", { forces, system: "S1", winner: "Me", ships: 2 }), "natives 1,200 against <Me> 3 at [S1]: <Me> keeps 2"],
    [textOf("battle", { forces, system: "S1", winner: null, ships: 1197 }), "natives 1,200 against <Me> 3 at [S1]: 1,197 left"],
    [textOf("battle", { forces: [], system: "S1", winner: null, ships: 0 }), " at [S1]: 0 left"],
    [textOf("system_captured", { faction: "Me", system: "S1", loser: null }), "<Me> takes [S1]"],
    [textOf("system_captured", { faction: "Me", system: "S1", loser: "You" }), "<Me> takes [S1] from <You>"],
    [textOf("system_claimed", { faction: "Me", system: "S1" }), "<Me> claims [S1]"],
    [textOf("system_claimed", { faction: null, system: "S1" }), "[S1] is free"],
    [textOf("faction_joined", { faction: "Me", system: "S1" }), "<Me> enters at [S1]"],
    [textOf("faction_eliminated", { faction: "Me" }), "<Me> is out"],
    [textOf("sim_finished", { winner: "Me" }), "<Me> wins"],
    [textOf("sim_finished", { winner: null }), "A draw"],
    [textOf("note", { faction: "Me", text: "<b>", system: null }), "<Me>: <b>"],
    [textOf("note", { faction: "Me", text: "hi", system: "S1" }), "<Me>: hi — at [S1]"],
    [textOf("fleet_departed", { faction: "Me", ships: 1e12, system: "S1", target: "S2" }), "<Me> sends 1,000,000,000,000 from [S1] to [S2]"],
    [textOf("fleet_arrived", { faction: "Me", ships: 1, system: "S1" }), "<Me>: 1 arrive at [S1]"],
    [textOf("ships_mustered", { faction: "Me", ships: 1, system: "S1" }), "<Me> musters 1 at [S1]"],
    [textOf("order_rejected", { faction: null, reason: "not_enough_ships", detail: "" }), "no faction: refused, not enough ships"],
    [textOf("order_rejected", { faction: "Me", reason: "no_lane", detail: "S1 has none" }), "<Me>: refused, S1 has none"],
  ];
  for (const [actual, expected] of sentences) assert.equal(actual, expected);
});

test("an event of a later version has no text", () => assert.equal(describeEvent({ n: 0, tick: 1, type: "comet" }), null));

test("each type that has a text has a kind to filter by", () => {
  for (const { types } of Object.values(EVENT_KINDS)) for (const type of types) assert.ok(KIND_BY_TYPE[type], type);
  assert.deepEqual(Object.entries(EVENT_KINDS).filter(([, { isDefault }]) => !isDefault).map(([kind]) => kind), ["fleets", "refusals"]);
  assert.equal(KIND_BY_TYPE.system_claimed, "systems");
  assert.equal(KIND_BY_TYPE.comet, undefined);
});

test("an event involves the factions that acted, won, lost, or were in the battle", () => {
  const event = { n: 0, tick: 1, type: "battle", winner: "A", loser: "B", faction: "C", forces: [{ faction: null }, { faction: "D" }] };
  for (const faction of "ABCD") assert.ok(involvesFaction(event, faction), faction);
  assert.ok(!involvesFaction(event, "E"));
  assert.ok(!involvesFaction({ n: 0, tick: 1, type: "sim_finished", winner: null }, "A"));
});
