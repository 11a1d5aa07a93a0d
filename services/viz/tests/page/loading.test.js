/** The loaders: the timeline, and the events of earlier ticks. */

import assert from "node:assert/strict";
import { beforeEach, mock, test } from "node:test";

import { EventBackfill } from "../../src/sector/viz/page/panels/event-backfill.js";
import { TimelineLoader } from "../../src/sector/viz/page/time/timeline-loader.js";
import { Timeline } from "../../src/sector/viz/page/time/timeline.js";
import { installDom } from "./support/dom.js";
import { fakeFetch, jsonResponse, settle, skipDelays } from "./support/globals.js";
import { goldenBytes, goldenWorld, tickUpdateBytes } from "./support/golden.js";

/** @type {{info: any}} */
let log;
beforeEach(() => {
  installDom();
  log = mock.method(console, "info", () => {}).mock;
});

const data = (/** @type {number} */ first) => ({ sim: "one", first, tick: 40, totals: [], battles: [[20, 1]] });

test("the timeline of the sim is loaded", async () => {
  const requests = fakeFetch(() => jsonResponse(data(7)));
  const timeline = new Timeline();
  const loader = new TimelineLoader(/** @type {any} */ ({ sim: "one" }), timeline);
  loader.load();
  await loader.loading;
  assert.deepEqual(requests.map(({ path }) => path), ["/base/sims/one/timeline"]);
  assert.deepEqual([timeline.firstTick, timeline.nextBattle(0, 1)], [7, 20]);
});

test("a timeline that arrives after a switch to another sim is ignored", async () => {
  fakeFetch(() => jsonResponse(data(7)));
  const [timeline, connection] = [new Timeline(), { sim: "one" }];
  const loader = new TimelineLoader(/** @type {any} */ (connection), timeline);
  loader.load();
  connection.sim = "two";
  await loader.loading;
  assert.equal(timeline.firstTick, 0);
});

test("a timeline that cannot be loaded is logged", async () => {
  fakeFetch(() => jsonResponse({ message: "Redis is unreachable" }, { status: 503 }));
  const loader = new TimelineLoader(/** @type {any} */ ({ sim: "one" }), new Timeline());
  loader.load();
  await loader.loading;
  assert.equal(/** @type {any} */ (log).calls[0].arguments[0], "timeline not loaded: Error: Redis is unreachable");
});

/** A backfill for the golden world, at tick 41. @param {() => Response} respond */
function backfillOf(respond) {
  const requests = fakeFetch(respond);
  skipDelays();
  const timeline = new Timeline();
  const playback = { sim: "one", world: goldenWorld(), isLive: false };
  /** @type {any[]} */
  const added = [];
  const eventLog = { addEarlier: (/** @type {unknown} */ _, /** @type {any[]} */ events) => added.push(...events) };
  const loader = { timeline, loading: Promise.resolve() };
  const backfill = new EventBackfill(/** @type {any} */ (playback), /** @type {any} */ (loader), /** @type {any} */ (eventLog));
  return { backfill, playback, timeline, requests, added };
}

const ticks = () => new Response(tickUpdateBytes(goldenBytes("delta-nothing.bin"), goldenBytes("events-all.bin")));

test("the events of the twenty earlier ticks are requested once, but none before the start of the history", async () => {
  const { backfill, timeline, requests, added } = backfillOf(ticks);
  backfill.schedule();
  backfill.schedule();
  await settle();
  await settle();
  assert.deepEqual(requests.map(({ path }) => path), ["/base/sims/one/ticks?after=21&limit=20"]);
  assert.ok(added.every(({ tick }) => tick <= 41));
  timeline.firstTick = 38;
  backfill.schedule();
  await settle();
  await settle();
  assert.equal(requests[1].path, "/base/sims/one/ticks?after=38&limit=3");
});

test("events are not added after the playback shows another tick", async () => {
  const { backfill, playback, added } = backfillOf(() => {
    playback.world = goldenWorld();
    return ticks();
  });
  backfill.schedule();
  await settle();
  await settle();
  assert.deepEqual(added, []);
});

test("events that cannot be loaded are logged", async () => {
  const { backfill } = backfillOf(() => jsonResponse({ message: "too many requests" }, { status: 429 }));
  backfill.schedule();
  await settle();
  await settle();
  assert.equal(/** @type {any} */ (log).calls.at(-1).arguments[0], "earlier events not loaded: Error: too many requests");
});
