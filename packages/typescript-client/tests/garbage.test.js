/** What ends a request does so although the garbage collector runs all the time. */

import assert from "node:assert/strict";
import { createServer } from "node:http";
import { test } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

import { Client, UnavailableError } from "sector-client";

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc");
const EVENT = 'id: 1-0\nevent: note\ndata: {"type":"note"}\n\n';

/** Returns the address of a server that never ends an answer, and a promise of the end of its next connection. */
async function endless(context, begin = () => undefined) {
  const server = createServer((_, response) => begin(response));
  const closed = new Promise((resolve) => server.on("connection", (socket) => socket.on("close", resolve)));
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const collecting = setInterval(collect, 20);
  context.after(() => {
    clearInterval(collecting);
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${server.address().port}`, closed };
}

const stream = (response) => response.writeHead(200, { "Content-Type": "text/event-stream" }).write(EVENT);
const half = (response) => response.writeHead(200, { "Content-Type": "application/json", "Content-Length": 99 }).write("{");

for (const [place, begin] of [["before the headers", undefined], ["inside the body", half]]) {
  test(`a request ends after its timeout, ${place}`, async (context) => {
    const { url, closed } = await endless(context, begin);
    const client = new Client(url, { timeoutMs: 300, retryTimeoutMs: 0 });
    await assert.rejects(client.snapshot(), (error) => {
      assert.ok(error instanceof UnavailableError);
      return /no answer within 300 ms/.test(error.message);
    });
    await closed;
  });

  test(`a signal ends a request, ${place}`, async (context) => {
    const { url, closed } = await endless(context, begin);
    const controller = new AbortController();
    setTimeout(() => controller.abort(new Error("enough")), 300);
    const order = { type: "note", faction: "Me", text: "x" };
    await assert.rejects(new Client(url).order(order, { signal: controller.signal }), /enough/);
    await closed;
  });
}

test("a signal ends a waiting stream and closes its connection", async (context) => {
  const { url, closed } = await endless(context, stream);
  const controller = new AbortController();
  setTimeout(() => controller.abort(new Error("enough")), 300);
  await assert.rejects(async () => {
    for await (const event of new Client(url).follow({ signal: controller.signal })) assert.equal(event.type, "note");
  }, /enough/);
  await closed;
});

test("break closes the connection of a stream", async (context) => {
  const { url, closed } = await endless(context, stream);
  for await (const event of new Client(url).follow()) {
    for (let number = 0; number < 20; number++) await new Promise((resolve) => setTimeout(resolve, 2));
    assert.equal(event.type, "note");
    break;
  }
  await closed;
});

test("a signal that is used often does not gather listeners", async (context) => {
  const server = createServer((_, response) => {
    response.writeHead(200, { "Content-Type": "application/json" }).end('{"sims":[],"more":false}');
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  context.after(() => server.close());
  const warnings = [];
  process.on("warning", (warning) => warnings.push(warning));
  const client = new Client(`http://127.0.0.1:${server.address().port}`);
  const { signal } = new AbortController();
  for (let number = 0; number < 100; number++) await client.sims({ signal });
  await new Promise(setImmediate);
  assert.deepEqual(warnings, []);
  server.closeAllConnections();
});
