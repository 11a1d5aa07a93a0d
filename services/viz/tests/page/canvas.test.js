/** Canvases: the error of a refused canvas has a remedy. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { SpriteSheet } from "../../src/sector/viz/page/map/sprites.js";
import { CanvasError, contextOf, offscreenContextOf } from "../../src/sector/viz/page/ui/canvas.js";
import { installDom } from "./support/dom.js";
import { setGlobals } from "./support/globals.js";

const refused = /** @type {any} */ ({ getContext: () => null });

test("a context that is refused is an error with a remedy", () => {
  for (const context of [() => contextOf(refused), () => offscreenContextOf(refused)]) {
    assert.throws(context, (/** @type {unknown} */ error) => error instanceof CanvasError && /no map/.test(error.message) && /Allow canvas/.test(error.remedy));
  }
});

test("a context that the browser gives is returned", () => {
  const context = {};
  assert.equal(contextOf(/** @type {any} */ ({ getContext: () => context })), context);
  assert.equal(offscreenContextOf(/** @type {any} */ ({ getContext: () => context })), context);
});

test("sprites throw without a context, too", () => {
  installDom();
  setGlobals({ OffscreenCanvas: class { getContext = () => null; } });
  assert.throws(() => new SpriteSheet(1, 1, 1), CanvasError);
});
