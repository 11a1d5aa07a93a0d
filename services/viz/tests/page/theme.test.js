/** The theme: colours, and the selected scheme. */

import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { cssColour, blend, parseColour, Theme } from "../../src/sector/viz/page/ui/theme.js";
import { installDom, STYLE } from "./support/dom.js";

/** @type {any} */
let document;
beforeEach(() => {
  document = installDom();
  STYLE["--scheme"] = " dark";
});

test("colours are parsed, blended and formatted", () => {
  assert.deepEqual(parseColour("#ff8000"), [255, 128, 0]);
  assert.deepEqual(parseColour("#FFFFFF"), [255, 255, 255]);
  assert.deepEqual(blend([0, 100, 255], [255, 100, 0], 0.5), [128, 100, 128]);
  assert.deepEqual(blend([1, 2, 3], [255, 255, 255], 0), [1, 2, 3]);
  assert.deepEqual(blend([1, 2, 3], [255, 254, 253], 1), [255, 254, 253]);
  assert.equal(cssColour([1, 2, 3]), "rgb(1,2,3)");
  assert.equal(cssColour([1, 2, 3], 0.5), "rgba(1,2,3,0.5)");
  assert.equal(cssColour([1, 2, 3], 0), "rgba(1,2,3,0)");
});

test("every eight factions repeat the palette: lighter, darker, and unchanged", () => {
  const colours = new Theme().factionColours(new Array(25).fill("#646464"));
  assert.deepEqual([0, 7, 8, 15, 16, 23, 24].map((row) => colours[row][0]), [100, 100, 170, 170, 72, 72, 100]);
});

test("it has the variables of the style sheet", () => {
  const theme = new Theme();
  assert.equal(theme.colours.background, "#101010");
  assert.equal(theme.territoryOpacity, 0.4);
  assert.equal(theme.isLight, false);
});

test("the selected scheme is stored", () => {
  const theme = new Theme();
  const { version } = theme;
  theme.toggle();
  assert.ok(theme.version > version);
  assert.equal(localStorage.getItem("sector.theme"), "light");
  assert.equal(document.documentElement.dataset.theme, "light");
  assert.equal(document.getElementById("light").media, "all");
  STYLE["--scheme"] = " light";
  document.getElementById("light").fire("load");
  theme.toggle();
  assert.equal(document.getElementById("light").media, "not all");
  document.documentElement.dataset.theme = "";
  new Theme();
  assert.equal(document.documentElement.dataset.theme, "dark");
});

test("without a selection it follows the system", () => {
  const theme = new Theme();
  const { version } = theme;
  matchMedia("").dispatchEvent(new Event("change"));
  assert.equal(theme.version, version + 1);
});
