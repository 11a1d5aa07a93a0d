import assert from "node:assert/strict";
import { createServer } from "node:http";
import { test } from "node:test";

import { ApiError, Client, UnavailableError } from "sector-client";

import { applied, note, player, unusedUrl } from "./world.js";

/** Returns the first events of a stream, up to the one for which `last` is true. */
async function read(stream, last) {
  const events = [];
  for await (const event of stream) {
    events.push(event);
    if (last(event)) return events;
  }
  throw new Error("the stream ended");
}

test("events arrive as they happen", async () => {
  const client = player();
  const { tick } = await client.snapshot();
  const order = note("live");
  const reading = read(client.follow({ after: `${tick}-0`, types: ["note"] }), ({ text }) => text === order.text);
  const { events } = await applied(client, order);
  assert.deepEqual((await reading).at(-1), events[0]);
});

test("a stream without a position begins with the next event", async () => {
  const client = player();
  const orders = [note("before"), note("after")];
  await applied(client, orders[0]);
  const stream = client.follow({ types: ["note"] });
  const first = stream.next();
  // The connection is there as soon as an event arrives, so notes are sent until one does.
  let done = false;
  first.then(() => (done = true));
  while (!done) await applied(client, orders[1]);
  assert.equal((await first).value.text, orders[1].text);
  await stream.return();
});

test("a stream that breaks resumes without a gap or a repetition", async () => {
  let connections = 0;
  // Each connection breaks in the middle of a message.
  const breaking = async (request, init) => {
    const response = await fetch(request, init);
    if (!request.url.includes("/events/stream") || !response.ok || connections >= 2) return response;
    connections++;
    let left = 700;
    const cut = new TransformStream({
      transform(chunk, controller) {
        controller.enqueue(chunk.subarray(0, left));
        left -= chunk.length;
        if (left <= 0) controller.error(new TypeError("connection reset"));
      },
    });
    return new Response(response.body.pipeThrough(cut), { headers: { "content-type": "text/event-stream" } });
  };
  const client = player({ fetch: breaking });
  const { tick } = await client.snapshot();
  const orders = Array.from({ length: 20 }, (_, number) => note(`number ${number}`));
  const reading = read(client.follow({ after: `${tick}-0`, types: ["note"] }), ({ text }) => text === orders.at(-1).text);
  await client.orders(orders);
  const texts = (await reading).map(({ text }) => text).filter((text) => text.startsWith("number "));
  assert.deepEqual(texts, orders.map(({ text }) => text));
  assert.equal(connections, 2);
});

test("a stream that breaks before its first event misses nothing", async () => {
  let connections = 0;
  const breaking = async (request, init) => {
    const response = await fetch(request, init);
    if (!request.url.includes("/events/stream") || connections++ > 0) return response;
    const reader = response.body.getReader();
    let text = "";
    while (!text.includes("\n\n")) text += new TextDecoder().decode((await reader.read()).value);
    await reader.cancel();
    await applied(player(), order);
    return new Response(text, { headers: { "content-type": "text/event-stream" } });
  };
  const order = note("in the pause");
  const [event] = await read(player({ fetch: breaking }).follow({ types: ["note"] }), ({ text }) => text === order.text);
  assert.equal(event.text, order.text);
  assert.equal(connections, 2);
});

test("a stream without events reconnects, however long it was quiet", async (context) => {
  let count = 0;
  const server = createServer((_, response) => {
    response.writeHead(200, { "Content-Type": "text/event-stream" });
    if (count++ > 0) return response.end('id: 1-0\nevent: note\ndata: {"type":"note","id":"1-0"}\n\n');
    response.write("retry: 1\n\n: still here\n\n");
    setTimeout(() => response.destroy(), 300);
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  context.after(() => server.close());
  const client = new Client(`http://127.0.0.1:${server.address().port}`, { retryTimeoutMs: 100 });
  const [event] = await read(client.follow(), () => true);
  assert.equal(event.id, "1-0");
});

for (const [what, begin] of [
  ["not a stream", (response) => response.writeHead(200, { "Content-Type": "text/html" }).end("<html>")],
  ["empty", (response) => response.writeHead(204).end()],
  ["a broken error", (response) => response.writeHead(503, { "Content-Length": 99 }).write("{") && response.destroy()],
]) {
  test(`a stream whose response is ${what} is retried, and then fails`, async (context) => {
    let count = 0;
    const server = createServer((_, response) => {
      count++;
      begin(response);
    });
    await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
    context.after(() => server.close());
    const client = new Client(`http://127.0.0.1:${server.address().port}`, { retryTimeoutMs: 500 });
    await assert.rejects(read(client.follow(), () => true), (error) => error instanceof UnavailableError);
    assert.equal(count, 2);
  });
}

test("deleted events are a gap", async () => {
  const client = player();
  while ((await client.sim()).first_tick < 2) await applied(client, note("time passes"));
  const [gap] = await read(client.follow({ after: "1-0" }), () => true);
  assert.deepEqual([gap.type, gap.after], ["gap", "1-0"]);
  assert.ok(gap.firstTick >= 2);
});

test("a stream that the API rejects fails at once", async () => {
  await assert.rejects(read(player().follow({ types: ["explosion"] }), () => true), (error) => {
    assert.ok(error instanceof ApiError);
    return error.problem.status === 422;
  });
  await assert.rejects(read(player({ sim: "missing" }).follow(), () => true), (error) => error.problem.status === 404);
});

test("an unreachable stream fails after the retry timeout", async () => {
  const unused = await unusedUrl();
  const stream = new Client(unused, { retryTimeoutMs: 0 }).follow();
  await assert.rejects(read(stream, () => true), (error) => {
    assert.ok(error instanceof UnavailableError);
    assert.match(error.message, /ECONNREFUSED/);
    return error.message.startsWith(`no events from ${unused}/events/stream: `);
  });
});

test("a signal ends a stream", async () => {
  const controller = new AbortController();
  const stream = player().follow({ signal: controller.signal });
  const next = stream.next();
  controller.abort(new Error("enough"));
  await assert.rejects(next, /enough/);
});

test("messages may be split anywhere, and the server sets the retry time", async (context) => {
  const event = { type: "note", tick: 7, id: "7-1", text: "größer als ein Byte ✓" };
  const message = `retry: 5\n\nid: 7-1\nevent: note\ndata: ${JSON.stringify(event)}\n\n: still here\n\nevent: reconnect\ndata: \n\n`;
  const ids = [];
  const server = createServer(async (request, response) => {
    ids.push(request.headers["last-event-id"]);
    response.writeHead(200, { "Content-Type": "text/event-stream" });
    for (const byte of Buffer.from(message)) {
      response.write(Buffer.from([byte]));
      await new Promise(setImmediate);
    }
    response.end();
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  context.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const stream = new Client(`http://127.0.0.1:${server.address().port}`).follow({ after: "6-0" });
  assert.deepEqual((await stream.next()).value, event);
  assert.deepEqual((await stream.next()).value, event);
  await stream.return();
  assert.deepEqual(ids, ["6-0", "7-1"]);
});

