/** Search, the sim picker and the tabs, with the elements of the real index.html. */

import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { Search } from "../../src/sector/viz/page/panels/search.js";
import { SimPicker } from "../../src/sector/viz/page/panels/sim-picker.js";
import { startTabs } from "../../src/sector/viz/page/panels/tabs.js";
import { installDom } from "./support/dom.js";
import { fakeFetch, jsonResponse, settle } from "./support/globals.js";
import { goldenWorld } from "./support/golden.js";
import { element, playbackOf } from "./support/panels.js";

beforeEach(() => void installDom());

/** @param {any} parent */
const textsOf = (parent) => parent.children.map((/** @type {any} */ child) => child.textContent);

function searchOf() {
  /** @type {unknown[]} */
  const picks = [];
  new Search(playbackOf({ world: goldenWorld() }), { system: (row) => picks.push(row), faction: (id) => picks.push(id) });
  const input = element("search");
  const list = element("search-results");
  const type = (/** @type {string} */ text) => {
    input.value = text;
    input.fire("input");
    return textsOf(list);
  };
  const press = (/** @type {string} */ key) => input.fire("keydown", { key });
  return { picks, input, list, type, press };
}

test("search ranks names that begin with the text before those that contain it", () => {
  const { type, list } = searchOf();
  assert.deepEqual(type("  L "), ["Alpha Crimson", "Ålesund free", "\u2028line Ünïcode"]);
  assert.deepEqual(type("a"), ["Alpha Crimson"]);
  assert.deepEqual(type("me"), ["Me-2 faction"]);
  assert.deepEqual(type("s3"), ["🚀 Ω Crimson"]);
  assert.deepEqual(type("日"), ["日本 Me-2"]);
  assert.deepEqual([type("nothing"), list.hidden], [[], true]);
  assert.deepEqual([type("   "), list.hidden], [[], true]);
});

test("search works with the keyboard", () => {
  const { type, press, picks, input, list } = searchOf();
  type("l");
  assert.deepEqual([list.hidden, input.getAttribute("aria-expanded"), input.getAttribute("aria-activedescendant")], [false, "true", "search-result-0"]);
  press("ArrowDown");
  assert.equal(input.getAttribute("aria-activedescendant"), "search-result-1");
  press("ArrowUp");
  press("ArrowUp");
  assert.equal(input.getAttribute("aria-activedescendant"), "search-result-2", "round the end");
  assert.deepEqual(list.children.map((/** @type {any} */ item) => item.getAttribute("aria-selected")), ["false", "false", "true"]);
  press("ArrowDown");
  press("Enter");
  assert.deepEqual([picks, input.value, list.hidden], [[0], "", true]);
  press("Enter");
  type("cri");
  press("Escape");
  assert.deepEqual([picks, input.value], [[0], ""]);
  type("cri");
  list.children[0].fire("mousedown");
  assert.deepEqual(picks, [0, "Crimson"]);
});

test("the slash key focuses search, except in text fields", () => {
  const { input } = searchOf();
  const press = (/** @type {any} */ target) => document.fire("keydown", { key: "/", ctrlKey: false, target });
  assert.ok(!press(input).defaultPrevented);
  assert.ok(press(document.body).defaultPrevented);
  assert.equal(document.activeElement, input);
});

test("the picker lists the sims, and the one that is watched", async () => {
  /** @type {string[]} */
  const picks = [];
  const picker = new SimPicker((sim) => picks.push(sim));
  const select = element("sims");
  picker.show("mine");
  assert.deepEqual([textsOf(select), select.value], [["mine"], "mine"]);
  fakeFetch(() => jsonResponse({ sims: [{ id: "a", status: "running" }, { id: "b", status: "finished" }] }));
  await picker.refresh();
  assert.deepEqual([textsOf(select), select.value], [["a", "b (finished)", "mine"], "mine"]);
  const [first] = select.children;
  select.fire("pointerdown");
  await settle();
  assert.equal(select.children[0], first, "an unchanged list stays");
  fakeFetch(() => jsonResponse({}, { status: 503 }));
  select.fire("focus");
  await settle();
  assert.equal(select.children.length, 3);
  select.value = "b";
  select.fire("change");
  assert.deepEqual(picks, ["b"]);
});

test("tabs show one panel, by click and by arrow keys", () => {
  startTabs();
  const tabs = element("tabs").children;
  const selected = () => [tabs.findIndex((/** @type {any} */ tab) => tab.getAttribute("aria-selected") === "true"), document.querySelectorAll(".selected").map((/** @type {any} */ panel) => panel.id).join()];
  assert.deepEqual(selected(), [0, "factions-panel"]);
  tabs[1].click();
  assert.deepEqual(selected(), [1, "timeline-panel"]);
  assert.deepEqual(tabs.map((/** @type {any} */ tab) => tab.tabIndex), [-1, 0, -1, -1]);
  tabs[1].fire("keydown", { key: "ArrowRight" });
  tabs[2].fire("keydown", { key: "ArrowRight" });
  assert.deepEqual(selected(), [0, "factions-panel"], "the tab that is hidden is passed over");
  tabs[0].fire("keydown", { key: "ArrowLeft" });
  assert.deepEqual(selected(), [2, "events-panel"]);
  assert.equal(document.activeElement, tabs[2]);
  tabs[2].fire("keydown", { key: "Enter" });
  assert.deepEqual(selected(), [2, "events-panel"]);
});
