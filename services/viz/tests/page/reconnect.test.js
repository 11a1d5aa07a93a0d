/** Reconnecting: what happens while there is no connection. */

import assert from "node:assert/strict";
import { beforeEach, mock, test } from "node:test";

import { Reconnector } from "../../src/sector/viz/page/net/reconnect.js";
import { installDom } from "./support/dom.js";
import { fakeFetch, jsonResponse, until } from "./support/globals.js";

let now = 0;
/** @type {{path: string}[]} */
let requests;
let starts = 0;

beforeEach(() => {
  installDom();
  now = 1_000;
  starts = 0;
  mock.method(performance, "now", () => now);
  requests = fakeFetch(() => jsonResponse({ refusal: "the viz is full" }));
});

/** A socket that never opens. @param {Record<string, unknown>} [fields] */
function reconnectorOf(fields = {}, polling = false) {
  const socket = /** @type {any} */ ({ connected: false, active: true, io: { opts: {} }, connect: () => starts++, disconnect: () => socket, ...fields });
  let problems = 0;
  const reconnector = new Reconnector(socket, polling, () => problems++);
  reconnector.connect();
  return { reconnector, socket, problems: () => problems };
}

test("a connection that hangs is started again after 15 s, a refused one after 3 s", () => {
  const { reconnector, socket } = reconnectorOf();
  for (now = 1_000; now <= 16_000; now += 1_000) reconnector.retry();
  assert.equal(starts, 1);
  reconnector.retry();
  assert.equal(starts, 2);
  socket.active = false;
  now += 3_001;
  reconnector.retry();
  assert.equal(starts, 3);
});

test("an open connection is not started again", () => {
  const { reconnector } = reconnectorOf({ connected: true });
  now += 60_000;
  reconnector.retry();
  assert.deepEqual([starts, requests.length], [1, 0]);
});

test("the connection is checked after 3 s, and at most every 5 s", async () => {
  const { reconnector, problems } = reconnectorOf();
  now += 3_000;
  reconnector.retry();
  assert.equal(requests.length, 0);
  for (let second = 1; second <= 8; second++) {
    now += 1_000;
    reconnector.retry();
  }
  assert.equal(requests.length, 2);
  await until(() => problems() === 2);
  assert.match(reconnector.problem, /the viz is full/);
  reconnector.onConnect();
  assert.equal(reconnector.problem, "");
});

test("after a timeout the page polls first, if the viz allows it", () => {
  for (const [polling, transports] of /** @type {[boolean, string[] | undefined][]} */ ([[true, ["polling", "websocket"]], [false, undefined]])) {
    const { reconnector, socket } = reconnectorOf({}, polling);
    reconnector.onError(new Error("timeout"));
    assert.deepEqual(socket.io.opts.transports, transports);
  }
});
