/** The playback: live, past, playing, and late responses. */

import assert from "node:assert/strict";
import { beforeEach, mock, test } from "node:test";

import { Playback } from "../../src/sector/viz/page/time/playback.js";
import { fakeFetch, jsonResponse, setGlobals, settle } from "./support/globals.js";
import { goldenBytes, goldenMap, tickUpdateBytes, snapshotUpdate, tickUpdate } from "./support/golden.js";

setGlobals({ location: new URL("https://viz.example/") });
let now = 1_000;
mock.method(performance, "now", () => now);

const SNAPSHOT = tickUpdateBytes(goldenBytes("frame-snapshot.bin"), goldenBytes("events-all.bin"));
/** Leads from tick 41 to 42. */
const TICK = tickUpdateBytes(goldenBytes("delta-nothing.bin"), goldenBytes("events-all.bin"));
const gone = () => jsonResponse({ message: "it is gone" }, { status: 404 });

/** @type {Playback} */
let playback;
/** @type {string[]} */
let calls;
const map = goldenMap();

beforeEach(() => {
  now = 1_000;
  playback = new Playback();
  calls = [];
  for (const name of /** @type {const} */ (["world", "tick", "mode", "error"])) playback.on(name, (/** @type {any} */ detail) => calls.push(name === "error" ? `error ${detail}` : name));
});

/** Start at a live tick, with a history that answers with tick 41 and, after it, tick 42. */
function begin(tick = 100, history = (/** @type {URL} */ url) => new Response(url.pathname.endsWith("state") ? SNAPSHOT : url.searchParams.get("after") === "41" ? TICK : new Uint8Array())) {
  const requests = fakeFetch(history);
  playback.load("one", map, snapshotUpdate(tick));
  calls = [];
  return requests;
}

/** A response of the history that the test resolves. */
function late() {
  /** @type {(response: Response) => void} */
  let respond = () => {};
  const response = new Promise((done) => (respond = done));
  return { response: /** @type {Promise<Response>} */ (response), respond: async (/** @type {Response} */ with_) => (respond(with_), settle()) };
}

test("without a world nothing happens", async () => {
  playback.applyTick(tickUpdate(1));
  playback.pause();
  playback.play();
  await playback.step(1);
  playback.goLive();
  assert.equal(playback.timeAt(2_000), 0);
  assert.deepEqual(calls, []);
});

test("it starts live, at the tick of the world", () => {
  fakeFetch(gone);
  playback.load("one", map, snapshotUpdate(7));
  assert.deepEqual(calls, ["world", "mode"]);
  assert.deepEqual([playback.isLive, playback.world?.tick, playback.time], [true, 7, 7]);
});

test("a live tick advances the world and the measured period", () => {
  begin(7);
  playback.applyTick(tickUpdate(8, 300));
  assert.deepEqual(calls, ["tick"]);
  assert.equal(playback.live?.tick, 8);
  assert.equal(playback.tickPeriodMs, 500 + (300 - 500) * 0.2);
  const { tickPeriodMs } = playback;
  playback.applyTick(tickUpdate(9, 300));
  playback.applyTick(tickUpdate(10, 100_000));
  assert.equal(playback.tickPeriodMs, tickPeriodMs, "neither clocks that stand still nor long breaks count");
  playback.applyTick(tickUpdate(11, 100_001));
  assert.equal(playback.tickPeriodMs, tickPeriodMs + (10 - tickPeriodMs) * 0.2, "at least 10 ms");
});

test("time advances smoothly, never backwards, and at most one tick ahead", () => {
  begin(7);
  let before = playback.time;
  for (let frame = 0; frame < 100; frame++) {
    now += 16;
    const time = playback.timeAt(now);
    assert.ok(time >= before && time <= 8, String(time));
    before = time;
  }
  assert.ok(before > 7.9);
  playback.applyTick(tickUpdate(8));
  playback.applyTick(tickUpdate(9));
  playback.applyTick(tickUpdate(10));
  playback.applyTick(tickUpdate(11));
  assert.equal(playback.timeAt(now), 11, "more than two ticks behind it jumps");
});

test("the time of a finished world stops", () => {
  begin(7);
  playback.load("one", map, snapshotUpdate(8, { status: "finished" }));
  for (let frame = 0; frame < 100; frame++) playback.timeAt((now += 16));
  assert.equal(playback.time, 8);
});

test("a seek shows a past tick, paused, while the live world advances", async () => {
  const requests = begin();
  await playback.seek(41);
  assert.deepEqual(requests.map(({ path }) => path), ["/sims/one/state?tick=41"]);
  assert.deepEqual(calls, ["world", "mode", "tick"]);
  assert.deepEqual([playback.isLive, playback.world?.tick, playback.time], [false, 41, 41]);
  playback.applyTick(tickUpdate(101));
  assert.deepEqual(calls, ["world", "mode", "tick"]);
  assert.equal(playback.live?.tick, 101);
  assert.equal(playback.timeAt((now += 1_000)), 41);
});

test("a seek to the head or beyond shows the live world", async () => {
  const requests = begin();
  await playback.seek(41);
  await playback.seek(100);
  assert.ok(playback.isLive);
  await playback.seek(41);
  await playback.seek(5_000);
  assert.ok(playback.isLive);
  assert.equal(requests.length, 2);
});

test("a seek that fails is an error, and the world shown stays", async () => {
  begin(100, gone);
  await playback.seek(3);
  assert.deepEqual(calls, ["error it is gone", "mode"]);
  assert.ok(playback.isLive);
});

test("of two seeks the last one counts, in any order of the responses", async () => {
  const first = late();
  begin(100, (url) => (url.search === "?tick=3" ? first.response : new Response(SNAPSHOT)));
  const jump = playback.seek(3);
  await playback.seek(41);
  await first.respond(new Response(SNAPSHOT));
  await jump;
  assert.equal(calls.filter((name) => name === "world").length, 1);
  assert.equal(playback.time, 41);
});

test("an outdated seek that fails is not an error", async () => {
  const first = late();
  begin(100, (url) => (url.search === "?tick=3" ? first.response : new Response(SNAPSHOT)));
  const jump = playback.seek(3);
  await playback.seek(41);
  playback.play();
  await first.respond(gone());
  await jump;
  assert.ok(!calls.some((name) => name.startsWith("error")));
  assert.ok(playback.isPlaying);
});

test("a seek in the previous sim does not show its state on another map", async () => {
  const answer = late();
  begin(100, () => answer.response);
  const jump = playback.seek(41);
  playback.load("two", goldenMap(), snapshotUpdate(50));
  await answer.respond(new Response(SNAPSHOT));
  await jump;
  assert.ok(playback.isLive);
  assert.equal(playback.world?.tick, 50);
});

test("another sim is shown live, and does not play", async () => {
  begin();
  await playback.seek(41);
  playback.play();
  playback.timeAt((now += 1));
  await settle();
  assert.equal(playback.buffer.length, 1);
  playback.load("two", goldenMap(), snapshotUpdate(50));
  assert.deepEqual([playback.isLive, playback.isPlaying, playback.buffer.length, playback.time], [true, false, 0, 50]);
});

test("after a gap the past stays", async () => {
  begin();
  await playback.seek(41);
  calls = [];
  playback.load("one", map, snapshotUpdate(120));
  assert.deepEqual(calls, []);
  assert.deepEqual([playback.isLive, playback.world?.tick, playback.live?.tick], [false, 41, 120]);
});

test("playing fetches the following ticks, and shows them at its speed", async () => {
  const requests = begin();
  await playback.seek(41);
  playback.setSpeed(2);
  playback.play();
  playback.timeAt((now += 100));
  assert.equal(playback.time, 41.4);
  await settle();
  calls = [];
  playback.timeAt((now += 100));
  assert.deepEqual(calls, []);
  playback.timeAt((now += 100));
  assert.deepEqual([playback.world?.tick, playback.time.toFixed(3), calls], [42, "42.200", ["tick"]]);
  await settle();
  assert.equal(requests.at(-1)?.path, "/sims/one/ticks?after=42&limit=60");
  playback.timeAt((now += 5_000));
  playback.timeAt((now += 5_000));
  assert.equal(playback.time, 43, "it waits for the tick that follows");
});

test("playing that reaches the head continues live", async () => {
  begin(42);
  await playback.seek(41);
  playback.play();
  playback.timeAt((now += 250));
  await settle();
  for (let frame = 0; frame < 3; frame++) playback.timeAt((now += 250));
  assert.deepEqual([playback.isLive, playback.isPlaying], [true, false]);
});

test("playing stops at a missing tick", async () => {
  begin(100, (url) => new Response(url.pathname.endsWith("state") ? tickUpdateBytes(goldenBytes("frame-empty-tables.bin")) : TICK));
  await playback.seek(0);
  playback.play();
  playback.timeAt((now += 100));
  await settle();
  assert.equal(playback.isPlaying, false);
  assert.ok(calls.includes("error tick 1 is no longer in the history"));
});

test("ticks that arrive for a past that is no longer shown are ignored, and their errors too", async () => {
  for (const response of [new Response(TICK), gone()]) {
    const answer = late();
    begin(100, (url) => (url.pathname.endsWith("state") ? new Response(SNAPSHOT) : answer.response));
    await playback.seek(41);
    playback.play();
    playback.timeAt((now += 10));
    playback.goLive();
    calls = [];
    await answer.respond(response);
    assert.deepEqual([calls, playback.buffer.length, playback.isFetching], [[], 0, false]);
  }
});

test("a pause shows the tick before the live one, or stops the past", async () => {
  const requests = begin();
  playback.pause();
  await settle();
  assert.equal(requests.at(-1)?.path, "/sims/one/state?tick=99");
  await playback.seek(41);
  playback.play();
  playback.timeAt((now += 100));
  playback.pause();
  assert.deepEqual([playback.isPlaying, playback.time], [false, 41]);
});

test("a pause before the first tick requests nothing", async () => {
  const requests = begin(0);
  playback.pause();
  await settle();
  assert.deepEqual([requests, playback.isLive], [[], true]);
});

test("steps move by ticks, not below 0", async () => {
  const requests = begin();
  await playback.step(-1);
  assert.equal(requests.at(-1)?.path, "/sims/one/state?tick=99");
  await playback.seek(41);
  await playback.step(1);
  await playback.step(-100);
  assert.deepEqual(requests.slice(2).map(({ path }) => path), ["/sims/one/state?tick=42", "/sims/one/state?tick=0"]);
});
