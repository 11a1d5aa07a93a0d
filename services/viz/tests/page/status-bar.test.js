/** The status bar: states, alarms, tick, rate, latency and worker. */

import assert from "node:assert/strict";
import { beforeEach, mock, test } from "node:test";

import { Emitter } from "../../src/sector/viz/page/core/emitter.js";
import { StatusBar } from "../../src/sector/viz/page/panels/status-bar.js";
import { installDom } from "./support/dom.js";
import { setGlobals } from "./support/globals.js";
import { element, playbackOf } from "./support/panels.js";

let now = 0;
mock.method(performance, "now", () => now);
beforeEach(() => {
  now = 0;
  installDom();
});

/** @param {Record<string, unknown>} connection @param {Record<string, unknown>} playback */
function statusOf(connection, playback) {
  const link = Object.assign(new Emitter(), { connected: true, refusal: "", roundTripMs: NaN, ...connection });
  const scene = playbackOf(playback);
  const status = new StatusBar(/** @type {any} */ (link), scene);
  const show = () => {
    status.show();
    return [element("status").dataset.state, element("status").textContent, element("alarm").textContent];
  };
  return { link, scene, show };
}

test("the status says whether the page is live", () => {
  const live = { tick: 1_234, status: "running", winner: null, timestampMs: 0 };
  const states = [
    [{ connected: false }, {}, ["waiting", "connecting …", ""]],
    [{}, {}, ["waiting", "waiting for the world …", ""]],
    [{ connected: false, problem: "The viz is full." }, {}, ["error", "not connected", "The viz is full."]],
    [{ connected: false, problem: "The viz is full." }, { live, world: live }, ["lost", "connection lost", "The connection is lost; reconnecting … The viz is full. The page shows tick 1234."]],
    [{ refusal: "too many" }, { live, world: live }, ["error", "refused", "too many"]],
    [{ connected: false }, { live, world: live }, ["lost", "connection lost", "The connection is lost; reconnecting … The page shows tick 1234."]],
    [{}, { live, world: live }, ["live", "live", ""]],
    [{}, { live, world: { ...live, tick: 234 }, isLive: false }, ["past", "past, 1,000 ticks ago", ""]],
    [{}, { live: { ...live, status: "finished", winner: "Me" }, world: live }, ["finished", "finished: Me wins", ""]],
    [{}, { live: { ...live, status: "finished" }, world: live, isLive: false }, ["past", "finished: a draw", ""]],
    [{}, { live, world: live, lastTickAt: -4_001 }, ["stale", "stale", "The world is stale: no tick for 4 s. The page shows tick 1234."]],
    [{}, { live, world: live, lastTickAt: -4_001, tickPeriodMs: 2_000 }, ["live", "live", ""]],
  ];
  for (const [connection, playback, expected] of /** @type {any[]} */ (states)) assert.deepEqual(statusOf(connection, playback).show(), expected);
});

test("a missing world and a page that cannot start have an alarm", ({ mock }) => {
  let now = 1_000;
  mock.method(performance, "now", () => now);
  const { show } = statusOf({ sim: "one" }, {});
  assert.deepEqual(show(), ["waiting", "waiting for the world …", ""]);
  now += 5_000;
  assert.match(show()[2], /^The page is connected, but has not received the world of one\./);
  setGlobals({ pageStart: { problem: "This browser has no canvas." } });
  assert.deepEqual(show(), ["error", "not working", "This browser has no canvas."]);
  setGlobals({ pageStart: undefined });
});

test("an error of the connection is shown until the next tick, one of the playback for 8 s", ({ mock: { timers } }) => {
  timers.enable({ apis: ["setTimeout"] });
  const world = { tick: 5, status: "running", timestampMs: 0 };
  const { link, scene, show } = statusOf({}, { live: world, world });
  link.emit("error", "Redis is unreachable");
  assert.deepEqual(show(), ["error", "not live", "Redis is unreachable. The page shows tick 5."]);
  link.emit("tick", undefined);
  assert.equal(show()[0], "live");
  scene.emit("error", "tick 3 is gone");
  assert.deepEqual(show(), ["error", "not shown", "tick 3 is gone."]);
  scene.emit("world", world);
  assert.equal(show()[0], "live");
  scene.emit("error", "tick 3 is gone");
  timers.tick(7_999);
  assert.equal(show()[0], "error");
  timers.tick(1);
  assert.equal(show()[0], "live");
});

test("tick, rate, latency and worker are shown", () => {
  const world = { tick: 12_345, status: "running", timestampMs: 0 };
  const facts = (/** @type {Record<string, unknown>} */ connection, tickPeriodMs = 500) => {
    statusOf(connection, { live: world, world, tickPeriodMs }).show();
    return ["tick", "rate", "latency"].map((id) => element(id).textContent);
  };
  assert.deepEqual(facts({}), ["12,345", "2.0/s", "–"]);
  assert.deepEqual(facts({ roundTripMs: 0.4 }, 3_000), ["12,345", "0.33/s", "<1 ms"]);
  assert.deepEqual(facts({ roundTripMs: 12.6 }), ["12,345", "2.0/s", "13 ms"]);
  const { link } = statusOf({}, {});
  link.emit("worker", "w-1");
  assert.equal(element("worker").textContent, "w-1");
  link.emit("worker", null);
  assert.equal(element("worker").textContent, "none");
});
