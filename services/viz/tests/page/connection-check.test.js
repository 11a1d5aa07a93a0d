/** The diagnosis: each cause has a message with a remedy. */

import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { checkConnection, isOtherVersion } from "../../src/sector/viz/page/net/connection-check.js";
import { installDom } from "./support/dom.js";
import { fakeFetch, jsonResponse, setGlobals } from "./support/globals.js";

beforeEach(() => void installDom());

/** @type {[name: string, respond: () => Response, expected: RegExp][]} */
const CASES = [
  ["nothing answers", () => { throw new TypeError("fetch failed"); }, /^The viz at viz\.example cannot be reached\. Check the network\./],
  ["a proxy has no viz", () => new Response("<html>", { status: 502 }), /^The viz is not available: viz\.example answers 502\./],
  ["it is full", () => jsonResponse({ version: "1", refusal: "the limit of 2 spectators is reached" }), /^The viz refuses to connect: the limit of 2 spectators is reached\./],
  ["it would connect", () => jsonResponse({ version: "1", refusal: "" }), /a WebSocket to it cannot be opened\. A proxy, .* try another network .*or set POLLING=true/],
  ["it is an older one", () => new Response("", { status: 404 }), /a WebSocket to it cannot be opened/],
  ["the answer is no JSON", () => new Response("<html>"), /a WebSocket to it cannot be opened/],
];

for (const [name, respond, expected] of CASES) {
  test(`${name}: the message has the reason and a remedy`, async () => {
    const requests = fakeFetch(respond);
    assert.match(await checkConnection(false), expected);
    assert.deepEqual(requests.map(({ path }) => path), ["/base/connection?origin=https%3A%2F%2Fviz.example"]);
  });
}

test("with polling allowed, the message does not suggest it", async () => {
  fakeFetch(() => jsonResponse({ refusal: "" }));
  assert.doesNotMatch(await checkConnection(true), /POLLING/);
});

test("offline, no request is sent", async () => {
  setGlobals({ navigator: { onLine: false, language: "en" } });
  const requests = fakeFetch(() => jsonResponse({}));
  assert.match(await checkConnection(false), /^This device is offline\./);
  assert.deepEqual(requests, []);
});

test("the version of the viz is compared with that in the address of the modules", async () => {
  fakeFetch(() => jsonResponse({ version: "0123456789abcdef" }));
  assert.equal(await isOtherVersion(), true);
  for (const respond of [() => jsonResponse({}), () => new Response("<html>"), () => { throw new TypeError("fetch failed"); }]) {
    fakeFetch(respond);
    assert.equal(await isOtherVersion(), false);
  }
});
