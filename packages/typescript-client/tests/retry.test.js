import assert from "node:assert/strict";
import { createServer } from "node:http";
import { test } from "node:test";

import { ApiError, Client, UnavailableError } from "sector-client";

import { applied, note, notes, player } from "./world.js";

/** Returns a client of an HTTP server that answers with these functions, one for each request. */
async function clientOf(context, answers, options = {}) {
  let count = 0;
  const server = createServer((request, response) => answers[count++](response, request));
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  context.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return { client: new Client(`http://127.0.0.1:${server.address().port}`, options), requests: () => count };
}

const answer = (status, body, headers = {}) => (response) => {
  response.writeHead(status, { "Content-Type": "application/json", ...headers }).end(body);
};
const PAGE = '{"sims":[],"more":false}';

for (const status of [408, 429, 502, 503, 504]) {
  test(`a request is retried after ${status}`, async (context) => {
    const { client, requests } = await clientOf(context, [answer(status, "{}"), answer(200, PAGE)]);
    assert.deepEqual(await client.sims(), { sims: [], more: false });
    assert.equal(requests(), 2);
  });
}

for (const status of [400, 401, 403, 404, 409, 422, 500]) {
  test(`a request is not retried after ${status}`, async (context) => {
    const { client, requests } = await clientOf(context, [answer(status, "{}")]);
    await assert.rejects(client.sims(), (error) => error instanceof ApiError && error.problem.status === status);
    assert.equal(requests(), 1);
  });
}

test("a connection that breaks inside a body leads to a retry", async (context) => {
  const broken = (response) => {
    response.writeHead(200, { "Content-Type": "application/json", "Content-Length": 1000 }).write('{"sims"');
    setImmediate(() => response.destroy());
  };
  const { client, requests } = await clientOf(context, [broken, answer(200, PAGE)]);
  assert.equal((await client.sims()).more, false);
  assert.equal(requests(), 2);
});

test("an attempt that takes too long is retried", async (context) => {
  const { client, requests } = await clientOf(context, [() => undefined, answer(200, PAGE)], { timeoutMs: 200 });
  assert.equal((await client.sims()).more, false);
  assert.equal(requests(), 2);
});

test("a retry waits for Retry-After", async (context) => {
  const { client, requests } = await clientOf(context, [answer(429, "{}", { "Retry-After": "3600" })]);
  await assert.rejects(client.sims(), (error) => error instanceof ApiError && error.retryAfterMs === 3_600_000);
  assert.equal(requests(), 1);
});

test("an API that stays overloaded is unavailable", async (context) => {
  const problem = JSON.stringify({ type: "about:blank", title: "Away", status: 503, detail: "Redis is unreachable" });
  const { client } = await clientOf(context, Array(100).fill(answer(503, problem)), { retryTimeoutMs: 300 });
  await assert.rejects(client.sims(), (error) => {
    assert.ok(error instanceof UnavailableError);
    return error.message === "503 Away: Redis is unreachable" && error.cause instanceof ApiError;
  });
});

test("a response that is not from an API is an error", async (context) => {
  const html = answer(200, "<html>", { "Content-Type": "text/html" });
  const { client } = await clientOf(context, Array(100).fill(html), { retryTimeoutMs: 100 });
  await assert.rejects(client.sims(), /did not answer with JSON\. Is it the API of a world\?/);
  const proxy = await clientOf(context, [answer(404, "<html>no such host</html>", { "Content-Type": "text/html" })]);
  await assert.rejects(proxy.client.sims(), /404 Not Found: <html>no such host/);
});

test("a signal ends a request and the pause before a retry", async (context) => {
  for (const first of [() => undefined, answer(503, "{}", { "Retry-After": "5" })]) {
    const controller = new AbortController();
    const hooked = (...given) => {
      first(...given);
      setTimeout(() => controller.abort(new Error("enough")), 20);
    };
    const { client, requests } = await clientOf(context, [hooked]);
    await assert.rejects(client.sims({ signal: controller.signal }), /enough/);
    assert.equal(requests(), 1);
  }
});

test("a long wait for an order is retried", async (context) => {
  const breaks = (response) => setTimeout(() => response.destroy(), 300);
  const status = '{"id":"1-0","status":"applied","events":[]}';
  const { client, requests } = await clientOf(context, [breaks, answer(200, status)], { retryTimeoutMs: 100 });
  assert.equal((await client.orderStatus("1-0", { waitMs: 5_000 })).status, "applied");
  assert.equal(requests(), 2);
});

test("an order is not redirected, because that would make it a GET", async (context) => {
  const moved = answer(301, "", { Location: "/elsewhere" });
  const { client } = await clientOf(context, Array(100).fill(moved), { retryTimeoutMs: 0 });
  await assert.rejects(client.order(note("elsewhere")), /is unreachable: .*redirect/);
});

test("an order whose responses get lost takes effect once", async () => {
  let lost = 0;
  const lossy = async (request, init) => {
    const response = await fetch(request, init);
    if (request.method === "POST" && lost < 3) {
      lost++;
      await response.arrayBuffer();
      throw new TypeError("connection reset");
    }
    return response;
  };
  const client = player({ fetch: lossy, retryTimeoutMs: 20_000 });
  const { tick } = await client.snapshot();
  const order = note("once");
  await applied(client, order);
  await applied(client, note("afterwards"));
  assert.equal(lost, 3);
  assert.equal((await notes(client, order.text, tick)).length, 1);
});
