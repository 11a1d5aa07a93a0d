/** The connection: messages are read in their order, and after a gap the state is requested again. */

import assert from "node:assert/strict";
import { deflateRawSync } from "node:zlib";
import { beforeEach, mock, test } from "node:test";

import { Connection } from "../../src/sector/viz/page/connection.js";
import { installDom } from "./support/dom.js";
import { setGlobals, settle } from "./support/globals.js";
import { goldenBytes, goldenJson, momentBytes } from "./support/golden.js";

const MAP = deflateRawSync(goldenBytes("frame-map.bin"));
const MAP_ID = goldenJson("frame-map").id;
const SNAPSHOT = deflateRawSync(momentBytes(goldenBytes("frame-snapshot.bin")));
/** Leads to tick 42, while the snapshot is that of tick 41. */
const TICK = goldenBytes("moments-tick.deflated");

class FakeSocket {
  constructor() {
    this.connected = false;
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
    this.connected = true;
    this.receive("connect");
  }

  /** @param {string} name @param {any} [detail] */
  receive(name, detail) {
    this.listeners.get(name)?.(detail);
  }

  /** What was sent of the name `watch`: sim and map id. */
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
  setGlobals({ io: (/** @type {any} */ io) => ((options = io), socket) });
  mock.method(console, "error", () => {});
});

function connect(polling = false) {
  const connection = new Connection(polling);
  for (const name of /** @type {const} */ (["world", "tick", "worker", "fault", "change"])) {
    connection.on(name, (/** @type {any} */ detail) => calls.push([name, name === "tick" ? detail.frame.meta.tick : name === "world" ? detail.moment.frame.meta.tick : detail]));
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

test("it polls only where the viz says that it may", () => {
  connect();
  assert.deepEqual(options.transports, ["websocket"]);
  connect(true);
  assert.deepEqual(options.transports, ["websocket", "polling"]);
});

test("it connects below the address of the page, once it is to watch", () => {
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
  socket.receive("fault", "Redis is away");
  await connection.reading;
  assert.deepEqual(calls.filter(([name]) => name !== "change"), [["worker", "w-1"], ["world", 41], ["tick", 42], ["worker", null], ["fault", "Redis is away"]]);
  assert.equal(connection.tick, 42);
});

test("bytes may come as a buffer", async () => {
  const connection = connect();
  connection.watch("one");
  const buffer = (/** @type {Uint8Array} */ bytes) => bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength);
  socket.receive("world", world({ map: buffer(MAP), moment: buffer(SNAPSHOT) }));
  await connection.reading;
  assert.deepEqual(names(), ["worker", "world"]);
});

test("after it was cut off it asks again, with the map that it has", async () => {
  const connection = await watching();
  const { chart } = connection;
  socket.receive("disconnect");
  socket.receive("connect");
  assert.deepEqual(socket.watches, [["one", MAP_ID]]);
  socket.receive("world", world({ map: undefined }));
  await connection.reading;
  assert.equal(connection.chart, chart);
  assert.deepEqual(names(), ["worker", "world"]);
});

test("a world without its map is asked for again, with it", async () => {
  const connection = await watching();
  socket.receive("world", world({ map: undefined, map_id: "0".repeat(32) }));
  await connection.reading;
  assert.deepEqual(socket.watches, [["one", ""]]);
  assert.deepEqual(names(), []);
});

test("a tick that was there already is passed over; after a gap the state is asked for", async () => {
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

test("ticks of before the world is there are passed over", async () => {
  const connection = connect();
  connection.watch("one");
  socket.receive("tick", TICK);
  await connection.reading;
  assert.deepEqual(names(), []);
});

test("the world of another sim is passed over, though another was chosen while it was read", async () => {
  const connection = connect();
  connection.watch("one");
  socket.receive("world", world({ sim: "two" }));
  socket.receive("world", world());
  await Promise.resolve();
  await Promise.resolve();
  connection.watch("two");
  await connection.reading;
  assert.deepEqual(names(), []);
  assert.deepEqual([connection.chart, connection.tick], [null, -1]);
});

test("an unreadable message is a fault, and the next one is read", async () => {
  const connection = await watching();
  socket.receive("tick", new Uint8Array([1, 2, 3]));
  socket.receive("tick", deflateRawSync(momentBytes(goldenBytes("damaged-version-9.bin"))));
  socket.receive("tick", TICK);
  await connection.reading;
  assert.deepEqual(names(), ["fault", "fault", "tick"]);
  assert.match(calls[1][1], /^what came cannot be read: version 9/);
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

test("a beat measures how long the viz takes to answer", async () => {
  const connection = await watching();
  connection.watch("one");
  const [, answer] = socket.messages.find(([name]) => name === "beat") ?? [];
  assert.ok(Number.isNaN(connection.roundTripMs));
  await settle();
  answer();
  assert.ok(connection.roundTripMs >= 1);
});
