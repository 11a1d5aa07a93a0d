/** Playing: sessions, orders by drag and by form, and their results. */

import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { Emitter } from "../../src/sector/viz/page/core/emitter.js";
import { Camera } from "../../src/sector/viz/page/map/camera.js";
import { DragOrder } from "../../src/sector/viz/page/play/drag-order.js";
import { JoinDialog } from "../../src/sector/viz/page/play/join-dialog.js";
import { OrderForm } from "../../src/sector/viz/page/play/order-form.js";
import { OrderList } from "../../src/sector/viz/page/play/order-list.js";
import { Player } from "../../src/sector/viz/page/play/player.js";
import { installDom } from "./support/dom.js";
import { fakeFetch, fakeTheme, jsonResponse, setGlobals, settle } from "./support/globals.js";
import { goldenWorld } from "./support/golden.js";

/** @type {any} */
let document;
beforeEach(() => void (document = installDom()));

/** @param {string} id */
const element = (id) => document.getElementById(id);
const CONFIG = { travel: "lanes", claim_base: 20, claim_per_ship: 1, muster_cost: 2 };

/** The API: orders are accepted, and applied in tick 5. @param {Record<string, () => Response>} [others] by the last part of a path */
function api(others = {}) {
  return fakeFetch(({ pathname }) => {
    const name = pathname.split("/").at(-1) ?? "";
    if (others[name]) return others[name]();
    if (name === "orders") return jsonResponse({ id: "7-0" }, { status: 202 });
    if (name === "openapi.json") return jsonResponse({ paths: { "/orders": { post: {} } } });
    if (pathname.includes("/orders/")) return jsonResponse({ status: "applied", tick: 5 });
    return jsonResponse({ config: CONFIG });
  });
}

/** @param {string} url */
function playerOf(url = "/api") {
  const world = goldenWorld();
  const playback = /** @type {any} */ (Object.assign(new Emitter(), { sim: "one", world, live: world, isLive: true, time: 41 }));
  const player = new Player(url, playback, /** @type {any} */ (fakeTheme()));
  return { player, playback, world };
}

/** @param {string} faction @param {string} [token] */
async function enter(faction, token = "") {
  element("play-faction").value = faction;
  element("play-token").value = token;
  element("play-go").click();
  await settle();
}

const orders = () => element("orders").children.map((/** @type {any} */ item) => [item.dataset.status, item.textContent]);

test("without an API there is no play button", () => {
  const { player } = playerOf("");
  assert.equal(element("play-open").hidden, true);
  player.resume();
  assert.equal(player.faction, "");
});

test("a faction that is in the world does not join again", async () => {
  const requests = api();
  const { player } = playerOf();
  element("play-open").click();
  await settle();
  assert.deepEqual([element("play").open, element("play-token-label").hidden], [true, true]);
  await enter("Me-2", "secret");
  assert.deepEqual(requests.map(({ path }) => path), ["/api/openapi.json", "/api/sims/one"]);
  assert.deepEqual([player.faction, player.row, player.config, element("play").open], ["Me-2", 1, CONFIG, false]);
  assert.equal(element("play-token").value, "");
  assert.equal(element("orders-panel").hidden, false);
  player.show();
  assert.equal(element("player").textContent, "You play Me-2");
});

test("a new faction joins first", async () => {
  const requests = api();
  const { player } = playerOf();
  await enter("  Newcomer ");
  assert.deepEqual(requests[0].body, { type: "join", faction: "Newcomer" });
  assert.deepEqual(orders(), [["applied", "Enter as Newcomer applied in tick 5"]]);
  player.show();
  assert.equal(element("player").textContent, "You play Newcomer (about to enter)");
});

test("the join order is sent once, however often Enter is pressed", async () => {
  const requests = api();
  playerOf();
  element("play-faction").value = "Newcomer";
  element("play-go").click();
  assert.equal(element("play-go").disabled, true);
  await settle();
  assert.equal(element("play-go").disabled, false);
  assert.equal(requests.filter(({ method }) => method === "POST").length, 1);
});

test("cancel closes the dialog, and is not a submit button", async () => {
  api();
  playerOf();
  element("play-open").click();
  element("play-cancel").click();
  assert.equal(element("play").open, false);
  assert.equal(element("play-cancel").getAttribute("type"), "button");
  await settle();
});

test("an invalid session in storage is ignored", () => {
  api();
  for (const stored of ["{", "null", "7", '{"faction": 7, "token": ""}', '{"faction": "Me"}', "[]"]) {
    sessionStorage.setItem("sector.player.one", stored);
    const { player } = playerOf();
    player.resume();
    assert.equal(player.faction, "", stored);
  }
});

test("a player can play without storage", async () => {
  api();
  setGlobals({ sessionStorage: { getItem: () => null, setItem: () => { throw new DOMException("full", "QuotaExceededError"); }, removeItem() {} } });
  const { player } = playerOf();
  await enter("Me-2", "secret");
  assert.deepEqual([player.faction, element("play").open], ["Me-2", false]);
  player.suspend();
  player.resume();
  await settle();
  assert.equal(player.faction, "Me-2");
});

test("a faction name is required", async () => {
  const requests = api();
  playerOf();
  await enter("   ");
  assert.equal(element("play-error").textContent, "A faction needs a name.");
  assert.deepEqual(requests, []);
});

test("a refused join ends the session", async () => {
  api({ orders: () => jsonResponse({ detail: "no home is left" }, { status: 409 }) });
  const { player } = playerOf();
  await enter("Newcomer");
  assert.deepEqual([player.api, player.faction, element("play-error").textContent], [null, "", "no home is left"]);
  assert.deepEqual(orders(), [["refused", "Enter as Newcomer refused: no home is left"]]);
});

test("a player that changes the sim while joining does not play there", async () => {
  for (const response of [jsonResponse({ id: "7-0" }, { status: 202 }), jsonResponse({ detail: "no" }, { status: 409 })]) {
    api({ orders: () => response });
    const { player } = playerOf();
    element("play-faction").value = "Newcomer";
    element("play-go").click();
    player.suspend();
    await settle();
    assert.deepEqual([player.api, player.faction, player.config, sessionStorage.getItem("sector.player.one")], [null, "", null, null]);
  }
});

test("a session is resumed in the same tab, until the player leaves", async () => {
  api();
  const first = playerOf();
  await enter("Me-2", "secret");
  first.player.suspend();
  assert.equal(first.player.row, -1);
  document = installDom();
  sessionStorage.setItem("sector.player.one", JSON.stringify({ faction: "Me-2", token: "secret" }));
  const { player } = playerOf();
  player.resume();
  await settle();
  assert.deepEqual([player.faction, player.api?.token], ["Me-2", "secret"]);
  element("play-open").click();
  assert.deepEqual([player.faction, sessionStorage.getItem("sector.player.one"), element("play-open").textContent], ["", null, "Play"]);
  player.resume();
  assert.equal(player.api, null);
});

test("a token suggests its faction", () => {
  playerOf();
  element("play-token").value = `e30.${Buffer.from('{"faction":"Me-2"}').toString("base64url")}.sig`;
  element("play-token").fire("input");
  assert.equal(element("play-faction").value, "Me-2");
  element("play-token").value = "nonsense";
  element("play-token").fire("input");
  assert.equal(element("play-faction").value, "Me-2");
});

test("the error of an API that cannot be read is shown in the dialog", async () => {
  api({ "openapi.json": () => new Response("<html>") });
  playerOf();
  element("play-open").click();
  await settle();
  assert.match(element("play-error").textContent, /JSON/);
});

test("each order has a text and its result", async () => {
  const results = [{ status: "rejected", reason: "not_enough_ships", detail: "" }, { status: "rejected", reason: "no_lane", detail: "S0 has none" }, { status: "applied", tick: 6 }, { status: "applied", tick: 7 }];
  api({ "7-0": () => jsonResponse(results.shift()) });
  const { player } = playerOf();
  await enter("Me-2");
  await player.submit({ type: "move_fleet", faction: "Me-2", system: "S0", target: "S1", ships: 5 });
  await settle();
  await player.submit({ type: "set_owner", faction: "Me-2", system: "S99" });
  await settle();
  await player.submit({ type: "add_fleet", faction: "Me-2", system: "S3", ships: 2 });
  await settle();
  await player.submit({ type: "note", faction: "Me-2", system: null, text: "<b>" });
  await settle();
  assert.deepEqual(orders(), [
    ["applied", "Note “<b>” applied in tick 7"],
    ["applied", "Muster 2 at 🚀 Ω applied in tick 6"],
    ["rejected", "Claim S99 rejected: S0 has none"],
    ["rejected", "Send 5 from Alpha to Ålesund rejected: not enough ships"],
  ]);
});

test("an order without a readable result is not shown as refused", async () => {
  api({ "7-0": () => jsonResponse({ detail: "no token" }, { status: 401 }) });
  const { player } = playerOf();
  await enter("Me-2");
  assert.equal(await player.submit({ type: "later", faction: "Me-2" }), true);
  await settle();
  assert.deepEqual(orders(), [["unknown", "later the order is in the log, but its result could not be read: no token"]]);
});

test("the order list returns the error of an order that the API refuses", async () => {
  const list = new OrderList(/** @type {any} */ ({ world: null }));
  const refusing = /** @type {any} */ ({ send: () => Promise.reject(new Error("not today")) });
  assert.equal(await list.submit(refusing, { type: "set_owner", faction: "Me-2", system: "S1" }), "not today");
  const accepting = /** @type {any} */ ({ send: async () => "7-0", waitForResult: async () => ({ status: "applied", tick: 3 }) });
  assert.equal(await list.submit(accepting, { type: "set_owner", faction: "Me-2", system: "S1" }), "");
  assert.deepEqual(orders(), [["applied", "Claim S1 applied in tick 3"], ["refused", "Claim S1 refused: not today"]]);
});

test("the join dialog passes on the trimmed values, and forgets the token", async () => {
  /** @type {string[][]} */
  const entries = [];
  const dialog = new JoinDialog("/api", async (...entry) => void entries.push(entry));
  await enter(" Me-2 ", " secret ");
  dialog.showError("no home is left");
  dialog.close();
  assert.deepEqual(entries, [["Me-2", "secret"]]);
  assert.deepEqual([element("play-token").value, element("play-error").textContent], ["", "no home is left"]);
});

test("sixty orders are listed, and none is sent without a session", async () => {
  api();
  const { player } = playerOf();
  assert.equal(await player.submit({ type: "join", faction: "x" }), false);
  await enter("Me-2");
  for (let count = 0; count < 65; count++) await player.submit({ type: "join", faction: `F${count}` });
  await settle();
  assert.equal(orders().length, 60);
  assert.match(orders()[0][1], /F64/);
});

/** Orders of Crimson, the owner of S0 and S3. The camera has one pixel for each unit. */
function ordersOf(config = /** @type {any} */ (CONFIG)) {
  const { player, playback, world } = playerOf();
  player.faction = "Crimson";
  player.config = config;
  /** @type {any[]} */
  const orderLog = [];
  player.submit = async (order) => orderLog.push(order) > 0;
  /** @type {any} */
  const selectionLayer = { orderArrow: null, set: (/** @type {any} */ change) => Object.assign(selectionLayer, change) };
  const camera = new Camera();
  const pick = (/** @type {any} */ _, /** @type {number} */ __, /** @type {number} */ x, /** @type {number} */ y) => {
    const id = Array.from(world.map.x).findIndex((each, row) => Math.hypot(each - x, world.map.y[row] - y) < 5);
    return id < 0 ? null : { kind: "system", id };
  };
  const dragOrder = new DragOrder(playback, /** @type {any} */ ({ camera, selectionLayer, pick }), player);
  return { dragOrder, orderForm: new OrderForm(player, dragOrder), player, playback, world, selectionLayer, orderLog };
}

test("a drag starts at an own system, live, while the sim runs", () => {
  const { dragOrder, playback, world, player } = ordersOf();
  assert.equal(dragOrder.start(-20, 5), true);
  assert.equal(dragOrder.from, 0);
  assert.equal(dragOrder.start(0, -5), false, "free");
  assert.equal(dragOrder.start(20, 5), false, "another's");
  assert.equal(dragOrder.start(500, 500), false, "nothing there");
  playback.isLive = false;
  assert.equal(dragOrder.start(-20, 5), false, "the past");
  playback.isLive = true;
  world.meta = { ...world.meta, status: "finished" };
  assert.equal(dragOrder.start(-20, 5), false, "it is over");
  world.meta = { ...world.meta, status: "running" };
  player.faction = "Absent";
  assert.equal(dragOrder.start(-20, 5), false, "not in");
});

test("a drag to a neighbour sends a fraction of the garrison", () => {
  const { dragOrder, selectionLayer, orderLog } = ordersOf();
  dragOrder.start(-20, 5);
  dragOrder.move(300, 300);
  assert.deepEqual(selectionLayer.orderArrow, { from: 0, to: { x: 300, y: 300 }, target: null, text: "" });
  dragOrder.move(0, -5);
  assert.deepEqual([selectionLayer.orderArrow.target, selectionLayer.orderArrow.text], [1, "5 ships, 3 ticks"]);
  dragOrder.drop(0, -5);
  assert.deepEqual(orderLog, [{ type: "move_fleet", faction: "Crimson", system: "S0", target: "S1", ships: 5 }]);
  assert.deepEqual([dragOrder.from, selectionLayer.orderArrow], [null, null]);
  dragOrder.move(0, -5);
  dragOrder.drop(0, -5);
  assert.equal(orderLog.length, 1);
});

test("a drag to no system, to one without a lane, or back sends nothing", () => {
  const { dragOrder, orderLog } = ordersOf();
  for (const [x, y] of [[300, 300], [60, 5], [-20, 5]]) {
    dragOrder.start(-20, 5);
    dragOrder.drop(x, y);
  }
  assert.deepEqual(orderLog, []);
});

test("with direct travel ships can go anywhere", () => {
  const { dragOrder, selectionLayer, orderLog } = ordersOf({ ...CONFIG, travel: "direct" });
  dragOrder.start(-20, 5);
  dragOrder.move(60, 5);
  assert.equal(selectionLayer.orderArrow.text, "5 ships");
  dragOrder.drop(60, 5);
  assert.equal(orderLog[0].target, "S4");
});

/** @param {any} form @param {string} text */
const button = (form, text) => form.querySelectorAll("button").find((/** @type {any} */ each) => each.textContent.startsWith(text));

test("the forms of an own system send, muster and note", () => {
  const { orderForm, world, orderLog } = ordersOf();
  const forms = /** @type {any} */ (orderForm.create(world, 0));
  const [sending, mustering, note] = forms.querySelectorAll("form");
  const [ships, target] = sending.children;
  assert.equal(ships.value, "5");
  assert.deepEqual(target.children.map((/** @type {any} */ option) => option.textContent), ["Ålesund (3)", "日本 (7)"]);
  ships.value = "3";
  target.value = "2";
  assert.ok(sending.fire("submit").defaultPrevented);
  assert.ok(button(mustering, "Muster, 2 supply each"));
  mustering.fire("submit");
  note.children[0].value = "hello";
  note.fire("submit");
  assert.equal(note.children[0].value, "");
  assert.deepEqual(orderLog, [
    { type: "move_fleet", faction: "Crimson", system: "S0", target: "S2", ships: 3 },
    { type: "add_fleet", faction: "Crimson", system: "S0", ships: 5 },
    { type: "note", faction: "Crimson", text: "hello", system: "S0" },
  ]);
});

test("the fraction of a drag can be set, and at least one ship is sent", () => {
  const { dragOrder, orderForm, world, orderLog } = ordersOf();
  const forms = /** @type {any} */ (orderForm.create(world, 0));
  button(forms, "¾").click();
  assert.equal(button(forms, "½").getAttribute("aria-pressed"), "false");
  dragOrder.start(-20, 5);
  dragOrder.drop(0, -5);
  button(forms, "¼").click();
  world.ships[0] = 1;
  dragOrder.start(-20, 5);
  dragOrder.drop(0, -5);
  assert.deepEqual(orderLog.map(({ ships }) => ships), [7, 1]);
});

test("a free neighbour can be claimed, and the button has the cost", () => {
  const { orderForm, world, orderLog, player } = ordersOf();
  button(orderForm.create(world, 1), "Claim for 40 supply").click();
  assert.deepEqual(orderLog, [{ type: "set_owner", faction: "Crimson", system: "S1" }]);
  player.config = null;
  assert.equal(button(orderForm.create(world, 1), "Claim").textContent, "Claim");
  world.owner[1] = 2;
  assert.equal(button(orderForm.create(world, 1), "Claim"), undefined, "another's");
  assert.equal(button(orderForm.create(world, 5), "Claim"), undefined, "not beside");
});

test("without a session there are no forms", () => {
  const { orderForm, world, player } = ordersOf();
  player.faction = "";
  assert.equal(orderForm.create(world, 0), null);
});
