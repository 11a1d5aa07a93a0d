/** Storage: the page works if it is refused or full. */

import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { PageStorage } from "../../src/sector/viz/page/core/storage.js";
import { Theme } from "../../src/sector/viz/page/ui/theme.js";
import { installDom } from "./support/dom.js";
import { setGlobals } from "./support/globals.js";

beforeEach(() => void installDom());

const refuse = () => {
  throw new DOMException("refused", "SecurityError");
};
const full = () => {
  throw new DOMException("full", "QuotaExceededError");
};
/** @type {Record<string, () => void>} */
const FAILURES = {
  "access is refused": () => void Object.defineProperty(globalThis, "localStorage", { get: refuse, configurable: true }),
  "there is none": () => setGlobals({ localStorage: null }),
  "it is full": () => setGlobals({ localStorage: { getItem: () => null, setItem: full, removeItem() {} } }),
  "every use is refused": () => setGlobals({ localStorage: { getItem: refuse, setItem: refuse, removeItem: refuse } }),
};

for (const [name, fail] of Object.entries(FAILURES)) {
  test(`${name}: values are held until the page closes`, () => {
    fail();
    const storage = new PageStorage("localStorage");
    assert.equal(storage.read("a"), null);
    storage.write("a", "1");
    assert.equal(storage.read("a"), "1");
    storage.remove("a");
    assert.equal(storage.read("a"), null);
  });

  test(`${name}: light and dark can be selected`, () => {
    fail();
    const theme = new Theme();
    theme.toggle();
    assert.equal(document.documentElement.dataset.theme, "light");
  });
}

test("stored values are available to the next page", () => {
  new PageStorage("localStorage").write("a", "1");
  assert.equal(new PageStorage("localStorage").read("a"), "1");
  new PageStorage("localStorage").remove("a");
  assert.equal(new PageStorage("localStorage").read("a"), null);
});

test("a value is stored once there is room", () => {
  const plain = globalThis.localStorage;
  FAILURES["it is full"]();
  const storage = new PageStorage("localStorage");
  storage.write("a", "1");
  setGlobals({ localStorage: plain });
  storage.write("a", "2");
  assert.equal(plain.getItem("a"), "2");
  assert.equal(storage.read("a"), "2");
});

test("an unknown theme is ignored", () => {
  localStorage.setItem("sector.theme", "purple");
  new Theme();
  assert.equal(document.documentElement.dataset.theme, undefined);
});
