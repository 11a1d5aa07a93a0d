/** The connection: messages are decoded in order, and after a gap the state is requested again. */

import assert from "node:assert/strict";
import { beforeEach, mock, test } from "node:test";
import { deflateRawSync } from "node:zlib";

import { Connection } from "../../src/sector/viz/page/net/connection.js";
import { installDom } from "./support/dom.js";
import { fakeFetch, jsonResponse, setGlobals, settle } from "./support/globals.js";
import { goldenBytes, goldenJson, tickUpdateBytes } from "./support/golden.js";

const MAP = deflateRawSync(goldenBytes("frame-map.bin"));
const MAP_ID = goldenJson("frame-map").id;
const SNAPSHOT = deflateRawSync(tickUpdateBytes(goldenBytes("frame-snapshot.bin")));
/** Leads to tick 42, while the snapshot is that of tick 41. */
const TICK = goldenBytes("moments-tick.deflated");

class FakeSocket {
  constructor() {
    this.connected = false;
    this.active = true;
    this.isOpenable = true;
    this.starts = 0;
    this.io = { opts: options };
    /** @type {Map<string, (detail?: any) => void>} */
    this.listeners = new Map();
    /** @type {any[][]} */
    this.messages = [];
  }

  /** @param {string} name @param {(detail?: any) => void} listener */
  on(name, listener) {
    this.listeners.set(name, listener);
  }

  /** @param {any[]} args */
  emit(...args) {
    this.messages.push(args);
  }

  connect() {
    this.starts++;
    if (!this.isOpenable) return;
    this.connected = true;
    this.receive("connect");
  }

  disconnect() {
    this.connected = false;
    return this;
  }

  /** @param {string} name @param {any} [detail] */
  receive(name, detail) {
    this.listeners.get(name)?.(detail);
  }

  /** The arguments of each `watch` message: sim and map id. */
  get watches() {
    return this.messages.filter(([name]) => name === "watch").map(([, sim, map]) => [sim, map]);
  }
}

/** @type {FakeSocket} */
let socket;
/** @type {any} */
let options;
/** @type {[name: string, detail: any][]} */
let calls;

beforeEach(() => {
  installDom();
  socket = new FakeSocket();
  calls = [];
  setGlobals({ io: (/** @type {any} */ io) => ((options = io), (socket.io.opts = io), socket) });
  fakeFetch(() => jsonResponse({ refusal: "the limit of 2 spectators is reached" }));
  mock.method(console, "error", () => {});
});

function connect(polling = false) {
  const connection = new Connection(polling);
  for (const name of /** @type {const} */ (["world", "tick", "worker", "error", "change"])) {
    connection.on(name, (/** @type {any} */ detail) => calls.push([name, name === "tick" ? detail.frame.meta.tick : name === "world" ? detail.update.frame.meta.tick : detail]));
  }
  return connection;
}

/** @param {Record<string, unknown>} [fields] */
const world = (fields = {}) => ({ sim: "one", worker: "w-1", map_id: MAP_ID, map: MAP, moment: SNAPSHOT, ...fields });
const names = () => calls.map(([name]) => name).filter((name) => name !== "change");

/** Connect, and show the world at tick 41. */
async function watching() {
  const connection = connect();
  connection.watch("one");
  socket.receive("world", world());
  await connection.reading;
  calls = [];
  socket.messages = [];
  return connection;
}

test("it polls only if the viz allows it", () => {
  connect();
  assert.deepEqual(options.transports, ["websocket"]);
  connect(true);
  assert.deepEqual(options.transports, ["websocket", "polling"]);
});

test("it connects below the address of the page, once it watches a sim", () => {
  const connection = connect();
  assert.equal(options.path, "/base/ws");
  assert.equal(connection.connected, false);
  connection.watch("one");
  assert.equal(connection.connected, true);
  assert.deepEqual(socket.watches, [["one", ""]]);
  connection.watch("two");
  assert.deepEqual(socket.watches, [["one", ""], ["two", ""]]);
});

test("a world and its ticks are passed on", async () => {
  const connection = connect();
  connection.watch("one");
  socket.receive("world", world());
  socket.receive("tick", TICK);
  socket.receive("worker", null);
  socket.receive("sim_error", "Redis is unreachable");
  await connection.reading;
  assert.deepEqual(calls.filter(([name]) => name !== "change"), [["worker", "w-1"], ["world", 41], ["tick", 42], ["worker", null], ["error", "Redis is unreachable"]]);
  assert.equal(connection.tick, 42);
});

test("an error is passed on by the name that it has in version 0.5", async () => {
  const connection = connect();
  connection.watch("one");
  socket.receive("fault", "Redis is away");
  await connection.reading;
  assert.deepEqual(calls.filter(([name]) => name !== "change"), [["error", "Redis is away"]]);
});

test("bytes may come as a buffer", async () => {
  const connection = connect();
  connection.watch("one");
  const buffer = (/** @type {Uint8Array} */ bytes) => bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength);
  socket.receive("world", world({ map: buffer(MAP), moment: buffer(SNAPSHOT) }));
  await connection.reading;
  assert.deepEqual(names(), ["worker", "world"]);
});

test("after a reconnect it subscribes again, with the id of its map", async () => {
  const connection = await watching();
  const { map } = connection;
  socket.receive("disconnect");
  socket.receive("connect");
  assert.deepEqual(socket.watches, [["one", MAP_ID]]);
  socket.receive("world", world({ map: undefined }));
  await connection.reading;
  assert.equal(connection.map, map);
  assert.deepEqual(names(), ["worker", "world"]);
});

test("a world with an unknown map is requested again, with the map", async () => {
  const connection = await watching();
  socket.receive("world", world({ map: undefined, map_id: "0".repeat(32) }));
  await connection.reading;
  assert.deepEqual(socket.watches, [["one", ""]]);
  assert.deepEqual(names(), []);
});

test("a repeated tick is ignored, and after a gap it subscribes again", async () => {
  const connection = await watching();
  socket.receive("tick", TICK);
  socket.receive("tick", TICK);
  await connection.reading;
  assert.deepEqual(names(), ["tick"]);
  connection.tick = 40;
  socket.receive("tick", TICK);
  socket.receive("tick", TICK);
  await connection.reading;
  assert.deepEqual(names(), ["tick"]);
  assert.deepEqual(socket.watches, [["one", MAP_ID]], "once");
});

test("ticks before the world are ignored", async () => {
  const connection = connect();
  connection.watch("one");
  socket.receive("tick", TICK);
  await connection.reading;
  assert.deepEqual(names(), []);
});

test("the world of another sim is ignored, also if the user switches while it is decoded", async () => {
  const connection = connect();
  connection.watch("one");
  socket.receive("world", world({ sim: "two" }));
  socket.receive("world", world());
  await Promise.resolve();
  await Promise.resolve();
  connection.watch("two");
  await connection.reading;
  assert.deepEqual(names(), []);
  assert.deepEqual([connection.map, connection.tick], [null, -1]);
});

test("an invalid message is an error, and the next one is decoded", async () => {
  const connection = await watching();
  socket.receive("tick", new Uint8Array([1, 2, 3]));
  socket.receive("tick", deflateRawSync(tickUpdateBytes(goldenBytes("damaged-version-9.bin"))));
  socket.receive("tick", TICK);
  await connection.reading;
  assert.deepEqual(names(), ["error", "error", "tick"]);
  assert.match(calls[1][1], /^a message cannot be read: version 9/);
});

test("a refusal is shown until another sim is watched", () => {
  const connection = connect();
  connection.watch("one");
  const [, , , answer] = socket.messages.find(([name]) => name === "watch") ?? [];
  answer("too many sims");
  assert.equal(connection.refusal, "too many sims");
  connection.watch("two");
  assert.equal(connection.refusal, "");
  answer(null);
  assert.equal(connection.refusal, "");
});

test("a ping measures the latency", async () => {
  const connection = await watching();
  connection.watch("one");
  const [, answer] = socket.messages.find(([name]) => name === "heartbeat") ?? [];
  assert.ok(Number.isNaN(connection.roundTripMs));
  await settle();
  answer();
  assert.ok(connection.roundTripMs >= 1);
});

/** Advance the clock of the connection. @param {number} ms */
async function pass(ms) {
  for (let passed = 0; passed < ms; passed += 1_000) {
    now += 1_000;
    mock.timers.tick(1_000);
    for (let step = 0; step < 20; step++) await Promise.resolve();
  }
}

let now = 0;

/** A connection with a clock that the test advances. @param {boolean} [polling] */
function connectInTime(polling) {
  mock.timers.enable({ apis: ["setInterval"] });
  // Node.js does not wait for timers of the page. Mock timers have no `unref`.
  mock.method(performance, "now", () => now);
  const connection = connect(polling);
  connection.watch("one");
  return connection;
}

test("a connection that hangs is checked, and started again", async (t) => {
  t.after(() => mock.reset());
  socket.isOpenable = false;
  const connection = connectInTime();
  assert.equal(options.timeout, 5_000);
  await pass(3_000);
  assert.equal(connection.problem, "");
  await pass(2_000);
  assert.match(connection.problem, /^The viz refuses to connect: the limit of 2 spectators/);
  assert.equal(socket.starts, 1);
  await pass(12_000);
  assert.equal(socket.starts, 2);
  socket.isOpenable = true;
  socket.connect();
  assert.equal(connection.problem, "");
});

test("a refused connection is started again, which Socket.IO does not do", async (t) => {
  t.after(() => mock.reset());
  socket.isOpenable = false;
  const connection = connectInTime();
  socket.active = false;
  socket.receive("connect_error", new Error("the limit of spectators is reached: try again later"));
  await pass(1_000);
  assert.match(connection.problem, /the limit of 2 spectators/);
  await pass(4_000);
  assert.equal(socket.starts, 2);
});

test("with polling allowed, it polls after a WebSocket that hangs", (t) => {
  t.after(() => mock.reset());
  socket.isOpenable = false;
  connectInTime(true);
  socket.receive("connect_error", new Error("websocket error"));
  assert.deepEqual(options.transports, ["websocket", "polling"]);
  socket.receive("connect_error", new Error("timeout"));
  assert.deepEqual(options.transports, ["polling", "websocket"]);
});

test("a missing world is requested again", async (t) => {
  t.after(() => mock.reset());
  const connection = connectInTime();
  await pass(5_000);
  assert.equal(socket.watches.length, 1);
  await pass(2_000);
  assert.equal(socket.watches.length, 2);
  connection.refusal = "the id of the sim is invalid";
  await pass(10_000);
  assert.equal(socket.watches.length, 2);
});

test("a viz that does not answer one name of a ping is pinged by the other", async (t) => {
  t.after(() => mock.reset());
  const connection = connectInTime();
  await pass(5_000);
  const [, answer] = socket.messages.find(([name]) => name === "beat") ?? [];
  answer();
  assert.equal(connection.roundTripMs, 0);
  socket.messages = [];
  await pass(10_000);
  const pings = socket.messages.map(([name]) => name).filter((name) => name !== "watch");
  assert.equal(pings[0], "beat");
  assert.ok(pings.includes("heartbeat"), "the viz may be of a later version again");
});
