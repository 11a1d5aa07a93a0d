/** Requests over HTTP: to the API, and to the history of the viz. */

import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { fetchSims, HistoryError, fetchTimeline, fetchState, fetchTicks } from "../../src/sector/viz/page/net/history.js";
import { OrderApi, ApiError, factionsOfToken } from "../../src/sector/viz/page/net/order-api.js";
import { fakeFetch, jsonResponse, setGlobals, skipDelays } from "./support/globals.js";
import { goldenBytes, goldenJson } from "./support/golden.js";

setGlobals({ location: new URL("https://viz.example/base/") });
const delays = skipDelays();
beforeEach(() => void (delays.length = 0));

const api = (token = "") => new OrderApi("https://api.example/v1/", "one", token);
const unavailable = () => jsonResponse({}, { status: 503 });

/** @param {(() => Response)[]} responses the last one again and again */
const inTurn = (...responses) => fakeFetch(() => (responses.length > 1 ? responses.shift() : responses[0])?.() ?? unavailable());

test("the API may be at the same host or at another one", () => {
  assert.equal(new OrderApi("/api", "one", "").url.href, "https://viz.example/api/");
  assert.equal(new OrderApi("https://api.example/v1", "one", "").url.href, "https://api.example/v1/");
  assert.equal(api().url.href, "https://api.example/v1/");
});

test("an order is sent with its token, as JSON", async () => {
  const requests = inTurn(() => jsonResponse({ id: "7-0" }, { status: 202 }));
  assert.equal(await api("secret").send({ type: "join", faction: "Me" }), "7-0");
  const [{ path, method, headers, body }] = requests;
  assert.deepEqual([method, path, body], ["POST", "/v1/sims/one/orders", { type: "join", faction: "Me" }]);
  assert.deepEqual([headers.authorization, headers["content-type"]], ["Bearer secret", "application/json"]);
  assert.match(headers["idempotency-key"], /^[0-9a-f]{32}$/);
});

/** @param {object} post what the API's description says of it */
const described = (post) => jsonResponse({ paths: { "/orders": { post } } });

test("without a token there is no authorization, without a body no content type", async () => {
  const requests = inTurn(() => described({}));
  assert.equal(await api().allowsAnonymousOrders(), true);
  assert.deepEqual(requests[0].headers, {});
});

test("an API with a security scheme for orders requires a token", async () => {
  inTurn(() => described({ security: [{ token: [] }] }));
  assert.equal(await api().allowsAnonymousOrders(), false);
});

test("a retry has the same idempotency key, and another order another one", async () => {
  const requests = inTurn(unavailable, () => { throw new TypeError("network"); }, () => jsonResponse({ id: "7-0" }, { status: 202 }));
  await api().send({ type: "join", faction: "Me" });
  await api().send({ type: "join", faction: "Me" });
  const keys = requests.map(({ headers }) => headers["idempotency-key"]);
  assert.equal(requests.length, 4);
  assert.deepEqual([keys[1], keys[2]], [keys[0], keys[0]]);
  assert.notEqual(keys[3], keys[0]);
});

test("a request is sent four times at most", async () => {
  const requests = inTurn(unavailable);
  await assert.rejects(api().send({ type: "join", faction: "Me" }), (error) => error instanceof ApiError && error.status === 503);
  assert.equal(requests.length, 4);
  assert.deepEqual(delays, [300, 600, 900].map((ms) => delays.find((delay) => Math.abs(delay - ms) < 1e-6)));
});

test("an unreachable API is named in the error", async () => {
  fakeFetch(() => { throw new TypeError("network"); });
  await assert.rejects(api().config(), { message: "The API at https://api.example/v1/ cannot be reached: network", status: 0 });
});

test("Retry-After is respected, up to five seconds", async () => {
  const busy = (/** @type {string} */ after) => () => jsonResponse({}, { status: 429, headers: { "retry-after": after } });
  inTurn(busy("2"), busy("3600"), busy("Wed, 21 Oct 2026 07:28:00 GMT"), () => jsonResponse({ config: {} }));
  await api().config();
  assert.deepEqual(delays.map((delay) => Math.round(delay)), [2_000, 5_000, 900]);
});

test("a refused order is not retried, and its error is passed on", async () => {
  for (const [body, message] of [[{ detail: "S9 is unknown" }, "S9 is unknown"], [{ title: "Forbidden" }, "Forbidden"], [{}, "403 Nope"]]) {
    const requests = inTurn(() => jsonResponse(body, { status: 403, statusText: "Nope" }));
    await assert.rejects(api().send({ type: "join", faction: "Me" }), { message, status: 403 });
    assert.equal(requests.length, 1);
  }
  inTurn(() => new Response("<html>", { status: 422, statusText: "Unprocessable" }));
  await assert.rejects(api().send({ type: "join", faction: "Me" }), { message: "422 Unprocessable" });
});

test("a result is polled until there is one", async () => {
  const requests = inTurn(() => jsonResponse({ status: "pending" }), () => jsonResponse({ status: "applied", tick: 5 }));
  assert.deepEqual(await api().waitForResult("7-0"), { status: "applied", tick: 5 });
  assert.deepEqual(requests.map(({ path }) => path), ["/v1/sims/one/orders/7-0?wait=10s", "/v1/sims/one/orders/7-0?wait=10s"]);
  inTurn(() => jsonResponse({ detail: "gone" }, { status: 404 }));
  await assert.rejects(api().waitForResult("7-0"), { message: "gone", status: 404 });
});

test("the config of a sim has the costs of orders, or is null", async () => {
  inTurn(() => jsonResponse({ config: { muster_cost: 2 } }));
  assert.deepEqual(await api().config(), { muster_cost: 2 });
  inTurn(() => jsonResponse({}, { status: 404 }));
  assert.equal(await api().config(), null);
});

/** @param {unknown} claims */
const tokenOf = (claims) => `e30.${Buffer.from(JSON.stringify(claims)).toString("base64url")}.sig`;

test("a token has the factions of its claim", () => {
  assert.deepEqual(factionsOfToken(tokenOf({ faction: "Me" })), ["Me"]);
  assert.deepEqual(factionsOfToken(tokenOf({ faction: ["Me", "*", "You"] })), ["Me", "You"]);
  assert.deepEqual(factionsOfToken(tokenOf({ faction: "*" })), []);
  assert.deepEqual(factionsOfToken(tokenOf({ sub: "??>>~~" })), [], "characters that base64url has in their stead");
});

test("an invalid token has no factions", () => {
  for (const token of ["", "a", "a.b.c", "a.%.c", tokenOf(null)]) assert.deepEqual(factionsOfToken(token), [], token);
});

test("the history is requested below the address of the page", async () => {
  const bytes = goldenBytes("moments-several.bin");
  const requests = fakeFetch(({ pathname }) => (pathname.endsWith("/sims") ? jsonResponse({ sims: [{ id: "one" }] }) : pathname.endsWith("/timeline") ? jsonResponse({ first: 3 }) : new Response(bytes)));
  assert.deepEqual(await fetchSims(), [{ id: "one" }]);
  assert.deepEqual(await fetchTimeline("one"), { first: 3 });
  assert.equal((await fetchState("one", 7)).frame.id, goldenJson("moments-several")[0].frame);
  assert.equal((await fetchTicks("one", 7, 60)).length, 3);
  assert.deepEqual(requests.map(({ path }) => path), ["/base/sims", "/base/sims/one/timeline", "/base/sims/one/state?tick=7", "/base/sims/one/ticks?after=7&limit=60"]);
});

test("the timeline of a viz of version 0.5 has its earlier path", async () => {
  const requests = fakeFetch(({ pathname }) => (pathname.endsWith("/course") ? jsonResponse({ first: 3 }) : jsonResponse({}, { status: 404 })));
  assert.deepEqual(await fetchTimeline("one"), { first: 3 });
  assert.deepEqual(requests.map(({ path }) => path), ["/base/sims/one/timeline", "/base/sims/one/course"]);
});

test("an error of the history is passed on", async () => {
  inTurn(() => jsonResponse({ message: "tick 3 is gone" }, { status: 404 }));
  await assert.rejects(fetchState("one", 3), (error) => error instanceof HistoryError && error.message === "tick 3 is gone");
  inTurn(() => new Response("<html>", { status: 502, statusText: "Bad Gateway" }));
  await assert.rejects(fetchTimeline("one"), { message: "502 Bad Gateway" });
});
