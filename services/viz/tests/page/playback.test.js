/** The stage: live, past, playing, and responses that come too late. */

import assert from "node:assert/strict";
import { beforeEach, mock, test } from "node:test";

import { Stage } from "../../src/sector/viz/page/time/playback.js";
import { fakeFetch, jsonResponse, setGlobals, settle } from "./support/globals.js";
import { goldenBytes, goldenMap, tickUpdateBytes, snapshotUpdate, tickUpdate } from "./support/golden.js";

setGlobals({ location: new URL("https://viz.example/") });
let now = 1_000;
mock.method(performance, "now", () => now);

const SNAPSHOT = tickUpdateBytes(goldenBytes("frame-snapshot.bin"), goldenBytes("events-all.bin"));
/** Leads from tick 41 to 42. */
const TICK = tickUpdateBytes(goldenBytes("delta-nothing.bin"), goldenBytes("events-all.bin"));
const gone = () => jsonResponse({ message: "it is gone" }, { status: 404 });

/** @type {Stage} */
let stage;
/** @type {string[]} */
let calls;
const map = goldenMap();

beforeEach(() => {
  now = 1_000;
  stage = new Stage();
  calls = [];
  for (const name of /** @type {const} */ (["world", "tick", "mode", "head", "fault"])) stage.on(name, (/** @type {any} */ detail) => calls.push(name === "fault" ? `fault ${detail}` : name));
});

/** Begin at a live tick, with an archive that answers with tick 41 and, after it, tick 42. */
function begin(tick = 100, archive = (/** @type {URL} */ url) => new Response(url.pathname.endsWith("state") ? SNAPSHOT : url.searchParams.get("after") === "41" ? TICK : new Uint8Array())) {
  const requests = fakeFetch(archive);
  stage.begin("one", map, snapshotUpdate(tick));
  calls = [];
  return requests;
}

/** A response of the archive that comes when the test says so. */
function late() {
  /** @type {(response: Response) => void} */
  let respond = () => {};
  const response = new Promise((done) => (respond = done));
  return { response: /** @type {Promise<Response>} */ (response), respond: async (/** @type {Response} */ with_) => (respond(with_), settle()) };
}

test("without a world nothing happens", async () => {
  stage.advance(tickUpdate(1));
  stage.pause();
  stage.play();
  await stage.step(1);
  stage.toLive();
  assert.equal(stage.timeAt(2_000), 0);
  assert.deepEqual(calls, []);
});

test("it begins live, at the tick of the world", () => {
  fakeFetch(gone);
  stage.begin("one", map, snapshotUpdate(7));
  assert.deepEqual(calls, ["head", "world", "mode"]);
  assert.deepEqual([stage.isLive, stage.world?.tick, stage.time], [true, 7, 7]);
});

test("a live tick advances the world and the measured period", () => {
  begin(7);
  stage.advance(tickUpdate(8, 300));
  assert.deepEqual(calls, ["head", "tick"]);
  assert.equal(stage.live?.tick, 8);
  assert.equal(stage.periodMs, 500 + (300 - 500) * 0.2);
  const { periodMs } = stage;
  stage.advance(tickUpdate(9, 300));
  stage.advance(tickUpdate(10, 100_000));
  assert.equal(stage.periodMs, periodMs, "neither clocks that stand still nor long breaks count");
  stage.advance(tickUpdate(11, 100_001));
  assert.equal(stage.periodMs, periodMs + (10 - periodMs) * 0.2, "at least 10 ms");
});

test("time glides with the ticks, never backwards, and at most one tick ahead", () => {
  begin(7);
  let before = stage.time;
  for (let frame = 0; frame < 100; frame++) {
    now += 16;
    const time = stage.timeAt(now);
    assert.ok(time >= before && time <= 8, String(time));
    before = time;
  }
  assert.ok(before > 7.9);
  stage.advance(tickUpdate(8));
  stage.advance(tickUpdate(9));
  stage.advance(tickUpdate(10));
  stage.advance(tickUpdate(11));
  assert.equal(stage.timeAt(now), 11, "more than two ticks behind it jumps");
});

test("a finished world stands still", () => {
  begin(7);
  stage.begin("one", map, snapshotUpdate(8, { status: "finished" }));
  for (let frame = 0; frame < 100; frame++) stage.timeAt((now += 16));
  assert.equal(stage.time, 8);
});

test("a jump shows a tick of the past, standing still, while the live world goes on", async () => {
  const requests = begin();
  await stage.jump(41);
  assert.deepEqual(requests.map(({ path }) => path), ["/sims/one/state?tick=41"]);
  assert.deepEqual(calls, ["world", "mode", "tick"]);
  assert.deepEqual([stage.isLive, stage.world?.tick, stage.time], [false, 41, 41]);
  stage.advance(tickUpdate(101));
  assert.deepEqual(calls, ["world", "mode", "tick", "head"]);
  assert.equal(stage.timeAt((now += 1_000)), 41);
});

test("a jump to the head or beyond shows the live world", async () => {
  const requests = begin();
  await stage.jump(41);
  await stage.jump(100);
  assert.ok(stage.isLive);
  await stage.jump(41);
  await stage.jump(5_000);
  assert.ok(stage.isLive);
  assert.equal(requests.length, 2);
});

test("a jump that fails is a fault, and the world shown stays", async () => {
  begin(100, gone);
  await stage.jump(3);
  assert.deepEqual(calls, ["fault it is gone", "mode"]);
  assert.ok(stage.isLive);
});

test("of two jumps the last one counts, whichever comes first", async () => {
  const first = late();
  begin(100, (url) => (url.search === "?tick=3" ? first.response : new Response(SNAPSHOT)));
  const jump = stage.jump(3);
  await stage.jump(41);
  await first.respond(new Response(SNAPSHOT));
  await jump;
  assert.equal(calls.filter((name) => name === "world").length, 1);
  assert.equal(stage.time, 41);
});

test("a jump that fails after another one is no fault", async () => {
  const first = late();
  begin(100, (url) => (url.search === "?tick=3" ? first.response : new Response(SNAPSHOT)));
  const jump = stage.jump(3);
  await stage.jump(41);
  stage.play();
  await first.respond(gone());
  await jump;
  assert.ok(!calls.some((name) => name.startsWith("fault")));
  assert.ok(stage.playing);
});

test("a jump in the sim of before does not show its state on another map", async () => {
  const answer = late();
  begin(100, () => answer.response);
  const jump = stage.jump(41);
  stage.begin("two", goldenMap(), snapshotUpdate(50));
  await answer.respond(new Response(SNAPSHOT));
  await jump;
  assert.ok(stage.isLive);
  assert.equal(stage.world?.tick, 50);
});

test("with another sim it is live, and does not play", async () => {
  begin();
  await stage.jump(41);
  stage.play();
  stage.timeAt((now += 1));
  await settle();
  assert.equal(stage.ahead.length, 1);
  stage.begin("two", goldenMap(), snapshotUpdate(50));
  assert.deepEqual([stage.isLive, stage.playing, stage.ahead.length, stage.time], [true, false, 0, 50]);
});

test("after a gap the past is shown on", async () => {
  begin();
  await stage.jump(41);
  calls = [];
  stage.begin("one", map, snapshotUpdate(120));
  assert.deepEqual(calls, ["head"]);
  assert.deepEqual([stage.isLive, stage.world?.tick, stage.live?.tick], [false, 41, 120]);
});

test("playing fetches the ticks that follow, and shows them at its speed", async () => {
  const requests = begin();
  await stage.jump(41);
  stage.setSpeed(2);
  stage.play();
  stage.timeAt((now += 100));
  assert.equal(stage.time, 41.4);
  await settle();
  calls = [];
  stage.timeAt((now += 100));
  assert.deepEqual(calls, []);
  stage.timeAt((now += 100));
  assert.deepEqual([stage.world?.tick, stage.time.toFixed(3), calls], [42, "42.200", ["tick"]]);
  await settle();
  assert.equal(requests.at(-1)?.path, "/sims/one/ticks?after=42&limit=60");
  stage.timeAt((now += 5_000));
  stage.timeAt((now += 5_000));
  assert.equal(stage.time, 43, "it waits for the tick that follows");
});

test("playing that comes to the head goes on live", async () => {
  begin(42);
  await stage.jump(41);
  stage.play();
  stage.timeAt((now += 250));
  await settle();
  for (let frame = 0; frame < 3; frame++) stage.timeAt((now += 250));
  assert.deepEqual([stage.isLive, stage.playing], [true, false]);
});

test("playing stops where a tick is missing", async () => {
  begin(100, (url) => new Response(url.pathname.endsWith("state") ? tickUpdateBytes(goldenBytes("frame-empty-tables.bin")) : TICK));
  await stage.jump(0);
  stage.play();
  stage.timeAt((now += 100));
  await settle();
  assert.equal(stage.playing, false);
  assert.ok(calls.includes("fault tick 1 is no longer kept"));
});

test("ticks that are fetched for a past that is no longer shown are passed over, and their fault too", async () => {
  for (const response of [new Response(TICK), gone()]) {
    const answer = late();
    begin(100, (url) => (url.pathname.endsWith("state") ? new Response(SNAPSHOT) : answer.response));
    await stage.jump(41);
    stage.play();
    stage.timeAt((now += 10));
    stage.toLive();
    calls = [];
    await answer.respond(response);
    assert.deepEqual([calls, stage.ahead.length, stage.fetching], [[], 0, false]);
  }
});

test("a pause stops at the tick before the live one, or where the past is", async () => {
  const requests = begin();
  stage.pause();
  await settle();
  assert.equal(requests.at(-1)?.path, "/sims/one/state?tick=99");
  await stage.jump(41);
  stage.play();
  stage.timeAt((now += 100));
  stage.pause();
  assert.deepEqual([stage.playing, stage.time], [false, 41]);
});

test("a pause before the first tick asks for nothing", async () => {
  const requests = begin(0);
  stage.pause();
  await settle();
  assert.deepEqual([requests, stage.isLive], [[], true]);
});

test("steps go by ticks, not below 0", async () => {
  const requests = begin();
  await stage.step(-1);
  assert.equal(requests.at(-1)?.path, "/sims/one/state?tick=99");
  await stage.jump(41);
  await stage.step(1);
  await stage.step(-100);
  assert.deepEqual(requests.slice(2).map(({ path }) => path), ["/sims/one/state?tick=42", "/sims/one/state?tick=0"]);
});
