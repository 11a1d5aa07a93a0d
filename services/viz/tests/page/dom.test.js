/** Helpers for elements of the page. */

import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { byId, createElement, createFactionLabel, setText } from "../../src/sector/viz/page/ui/dom.js";
import { installDom } from "./support/dom.js";
import { element } from "./support/panels.js";

beforeEach(() => void installDom());

test("elements are created with attributes, listeners and text that is never HTML", () => {
  let clicks = 0;
  const node = /** @type {any} */ (createElement("button", { class: "a", hidden: true, required: false, click: () => clicks++ }, "<b>", createElement("i", {}, "x")));
  node.click();
  assert.deepEqual([node.tagName, node.className, node.hidden, node.getAttribute("required"), node.textContent, clicks], ["button", "a", true, null, "<b>x", 1]);
  assert.equal(node.childNodes[0], "<b>");
  assert.equal(/** @type {any} */ (createFactionLabel("Me", "red")).style.getPropertyValue("--colour"), "red");
});

test("a missing element is named in the error", () => {
  assert.throws(() => byId("nothing"), /the page has no #nothing/);
});

test("text is only set if it changed", () => {
  const node = /** @type {any} */ (createElement("p", {}, "a"));
  const [text] = node.childNodes;
  setText(node, "a");
  assert.equal(node.childNodes[0], text);
  setText(node, "b");
  assert.equal(node.textContent, "b");
});
