/** The start of the page: a script without modules shows why the page cannot start, and limits the reloads. */

import assert from "node:assert/strict";
import { beforeEach, mock, test } from "node:test";

import { pageStart } from "../../src/sector/viz/page/core/page-start.js";
import { FakeElement, installDom } from "./support/dom.js";
import { fakeFetch, setGlobals, settle } from "./support/globals.js";

const BOOT = "../../src/sector/viz/page/boot.js";
/** @type {any} */
let document;
/** @type {any} */
let page;
let reloads = 0;
let count = 0;

beforeEach(() => {
  mock.timers.reset();
  document = installDom();
  reloads = 0;
  page = { state: null, replaceState: (/** @type {unknown} */ state) => (page.state = state) };
  class Script extends FakeElement {
    noModule = false;
  }
  // In a browser, its prototype has the property.
  Object.defineProperty(Script.prototype, "noModule", { value: false, writable: true });
  setGlobals({
    history: page,
    location: Object.assign(new URL("https://viz.example/base/"), { reload: () => void reloads++ }),
    HTMLScriptElement: Script,
    HTMLLinkElement: class extends FakeElement {},
    WebSocket: class {},
    pageStart: undefined,
  });
});

/** Run the script like a page that starts. */
async function begin() {
  await import(`${BOOT}?${count++}`);
  return pageStart();
}

const shown = () => [document.getElementById("status").textContent, document.getElementById("alarm").hidden, document.getElementById("alarm").textContent];

/** @param {Record<string, unknown>} fields @param {any} [target] */
function fireError(fields, target = globalThis) {
  const event = new Event("error");
  for (const [name, value] of Object.entries({ target, ...fields })) Object.defineProperty(event, name, { value });
  dispatchEvent(event);
}

/** Let a part of the page fail to load. */
const loseScript = () => fireError({}, new /** @type {any} */ (HTMLScriptElement)("script"));

test("a browser with all features sees no error", async () => {
  const start = await begin();
  start.ready();
  assert.equal(start.problem, "");
  assert.equal(shown()[0], "connecting …");
});

for (const name of ["DecompressionStream", "OffscreenCanvas", "ResizeObserver", "WebSocket"]) {
  test(`without ${name} it says which browser to use`, async () => {
    const plain = /** @type {any} */ (globalThis)[name];
    delete /** @type {any} */ (globalThis)[name];
    const { problem } = await begin();
    setGlobals({ [name]: plain });
    assert.match(problem, new RegExp(`This browser has no ${name}, .*Use a current one: Chrome`));
    assert.deepEqual(shown(), ["not working", false, problem]);
  });
}

test("a DecompressionStream without raw deflate counts as missing", async () => {
  const plain = globalThis.DecompressionStream;
  setGlobals({ DecompressionStream: class { constructor() { throw new TypeError("Unsupported compression format"); } } });
  assert.match((await begin()).problem, /no DecompressionStream/);
  setGlobals({ DecompressionStream: plain });
});

test("an error at the start is shown with its remedy", async () => {
  const start = await begin();
  fireError({ error: Object.assign(new Error("This browser refuses to draw"), { remedy: "Allow canvas." }) });
  assert.equal(start.problem, "This browser refuses to draw. Allow canvas.");
});

test("an error without a remedy says to reload, and an error after the start is ignored", async () => {
  const start = await begin();
  fireError({ error: null, message: "x is not defined" });
  assert.match(start.problem, /^The page cannot start: x is not defined\. Reload it/);
  const other = await begin();
  other.ready();
  fireError({ error: new Error("later") });
  assert.equal(other.problem, "");
});

test("a page with parts of another version reloads once they are in the cache", async () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  const link = new FakeElement("link");
  Object.assign(link, { href: new URL("https://viz.example/base/static/1/a.js") });
  document.querySelectorAll = () => [link];
  let failures = 2;
  const requests = fakeFetch(() => new Response("", { status: failures-- > 0 ? 404 : 200 }));
  const start = await begin();
  loseScript();
  loseScript();
  assert.match(start.problem, /probably because the viz is being updated\. The page reloads by itself \(1 of 4\)/);
  for (let step = 0; step < 60; step++) {
    await Promise.resolve();
    mock.timers.tick(50);
  }
  await Promise.resolve();
  assert.equal(requests.length, 3);
  mock.timers.tick(5_000);
  for (let step = 0; step < 20; step++) await Promise.resolve();
  mock.timers.tick(5_000);
  assert.deepEqual([reloads, page.state], [1, { reloads: 1 }]);
});

test("after four reloads it says what to do instead", async () => {
  page.state = { reloads: 4 };
  const start = await begin();
  loseScript();
  assert.match(start.problem, /4 reloads did not help\. Reload the page in a minute, or tell the operator/);
  await settle();
  assert.equal(reloads, 0);
});

test("without a history to count reloads, it does not reload", async () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  page.replaceState = () => {
    throw new DOMException("too often", "SecurityError");
  };
  const start = await begin();
  start.reload("This page is of another version than the viz");
  await Promise.resolve();
  mock.timers.tick(1_000);
  assert.equal(reloads, 0);
  assert.equal(start.problem, "This page is of another version than the viz. Reload the page in a minute.");
});

test("a page that loads slowly says so until it is ready", async () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  const start = await begin();
  mock.timers.tick(8_000);
  assert.match(start.problem, /still loading/);
  start.ready();
  assert.equal(start.problem, "");
});

test("the modules run without the script", () => {
  const start = pageStart();
  start.ready();
  start.reload("no reason");
  start.fail("nothing");
  assert.equal(start.problem, "");
});
