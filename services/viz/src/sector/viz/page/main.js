/** The page, wired: what comes over the connection goes to the playback, and what the playback shows to map, panels and address. */

import { readAddress, writeAddress } from "./core/address.js";
import { fetchTimeline, fetchTicks } from "./net/history.js";
import { DragOrder } from "./play/drag-order.js";
import { OrderForm } from "./play/order-form.js";
import { Connection } from "./net/connection.js";
import { TimelineChart } from "./time/timeline-chart.js";
import { isOtherVersion } from "./net/connection-check.js";
import { byId } from "./ui/dom.js";
import { readEvents } from "./codec/event-rows.js";
import { FactionTable } from "./panels/faction-table.js";
import { EventLog } from "./panels/event-log.js";
import { Gestures } from "./map/gestures.js";
import { Timeline } from "./time/timeline.js";
import { MapView } from "./map/map-view.js";
import { selectionPosition } from "./map/selection-layer.js";
import { Player } from "./play/player.js";
import { Search } from "./panels/search.js";
import { SimPicker } from "./panels/sim-picker.js";
import { Playback } from "./time/playback.js";
import { pageStart } from "./core/page-start.js";
import { StatusBar } from "./panels/status-bar.js";
import { DetailsPanel } from "./panels/details.js";
import { startTabs } from "./panels/tabs.js";
import { Theme } from "./ui/theme.js";
import { TimelineBar } from "./time/timeline-bar.js";

/** @typedef {import("./map/selection-layer.js").Selection} Selection */

const CLOSE_SCALE = 14;
const TABLE_MS = 240;
const COURSE_MS = 60_000;
const EARLIER_TICKS = 20;
const EARLIER_DELAY_MS = 200;

const settings = JSON.parse(/** @type {HTMLMetaElement} */ (document.querySelector("meta[name=sector]")).content);
const theme = new Theme();
const playback = new Playback();
const timeline = new Timeline();
const connection = new Connection(settings.polling);
const mapView = new MapView(/** @type {HTMLCanvasElement} */ (byId("ground")), /** @type {HTMLCanvasElement} */ (byId("traffic")), theme);
const player = new Player(settings.api, playback, theme);
const dragOrder = new DragOrder(playback, mapView, player);
const orderForm = new OrderForm(player, dragOrder);
const eventLog = new EventLog(theme, { system: (row) => select({ kind: "system", id: row }, true), tick: (tick) => playback.seek(tick) });
const factionTable = new FactionTable(theme, (faction) => eventLog.toggleFaction(faction));
const timelineChart = new TimelineChart(theme, (tick) => playback.seek(tick));
const details = new DetailsPanel(playback, theme, eventLog, (selection) => select(selection, true), (world, system) => orderForm.create(world, system));
const timelineBar = new TimelineBar(playback, timeline, theme);
new StatusBar(connection, playback);
const picker = new SimPicker((sim) => watch(sim, null, null));
let initialView = readAddress(settings.sim);
let tableAt = 0;
let recalling = 0;

/** @param {string} sim @param {number | null} tick @param {number[] | null} view */
function watch(sim, tick, view) {
  initialView = { sim, tick, view };
  timeline.clear();
  eventLog.clear();
  player.suspend();
  select(null);
  mapView.camera.isMoved = false;
  picker.show(sim);
  document.title = `${sim} · Sector`;
  connection.watch(sim);
}

/** @param {Selection | null} selection @param {boolean} [fly] */
function select(selection, fly = false) {
  mapView.selectionLayer.set({ selection });
  const { world } = playback;
  const place = fly && world && selection ? selectionPosition(world, selection, playback.time) : null;
  if (place) mapView.camera.flyTo(place, CLOSE_SCALE);
  details.refresh();
  details.show(selection);
}

let learning = Promise.resolve();

function learnCourse() {
  learning = learn();
}

async function learn() {
  const { sim } = connection;
  try {
    const data = await fetchTimeline(sim);
    if (sim === connection.sim) timeline.load(data);
  } catch (error) {
    // The map does not need it; the time bar then begins where the page did.
    console.info(`the course of the sim cannot be had: ${error}`);
  }
}

/** Tell in the feed what happened shortly before the tick that is shown. */
async function recall() {
  const { world, sim } = playback;
  if (!world || world.tick === 0) return;
  const { tick } = world;
  await learning;
  const after = Math.max(tick - EARLIER_TICKS, timeline.firstTick);
  try {
    const updates = await fetchTicks(sim, after, tick - after || 1);
    if (playback.sim === sim && (playback.world === world || playback.isLive)) eventLog.addEarlier(world, updates.flatMap(({ events }) => readEvents(events)).filter((event) => event.tick <= tick));
  } catch (error) {
    console.info(`what happened before cannot be had: ${error}`);
  }
}

connection.on("world", ({ sim, map: places, update }) => {
  const isFirst = playback.sim !== sim || !playback.live;
  if (playback.live && playback.live.map !== places) {
    // Founded anew, or another sim: what was learnt is of no use.
    timeline.clear();
    eventLog.clear();
  }
  playback.load(sim, places, update);
  mapView.camera.setBounds(places.bounds);
  learnCourse();
  if (!isFirst) return;
  if (initialView.view) mapView.camera.setView(initialView.view);
  if (initialView.tick !== null) playback.seek(initialView.tick);
  player.resume();
});
connection.on("unreadable", async () => {
  if (await isOtherVersion()) pageStart().reload("This page is of another version than the viz");
});
connection.on("tick", (update) => {
  playback.applyTick(update);
  if (playback.live) timeline.add(playback.live.totals(), update.events?.tables.battle?.rows ?? 0);
});
playback.on("tick", (events) => {
  if (!playback.world) return;
  eventLog.add(playback.world, events);
  mapView.effectLayer.addEvents(playback.world, events);
});
playback.on("world", () => {
  if (!playback.isLive || playback.seekNumber) eventLog.clear();
  mapView.effectLayer.clear();
  clearTimeout(recalling);
  recalling = window.setTimeout(recall, EARLIER_DELAY_MS);
});
playback.on("mode", () => details.refresh());
player.on("change", () => details.refresh());
new Search(playback, { system: (row) => select({ kind: "system", id: row }, true), faction: (faction) => eventLog.setFaction(faction) });
new Gestures(byId("traffic"), mapView.camera, {
  pick: (x, y) => playback.world && select(mapView.pick(playback.world, playback.time, x, y)),
  hover: (x, y) => {
    const hovered = playback.world && mapView.pick(playback.world, playback.time, x, y);
    if (hovered?.kind !== mapView.selectionLayer.hover?.kind || hovered?.id !== mapView.selectionLayer.hover?.id) mapView.selectionLayer.set({ hover: hovered });
    byId("traffic").style.cursor = hovered ? "pointer" : "";
  },
  canStartOrder: (x, y) => dragOrder.start(x, y),
  dragOrder: (x, y) => dragOrder.move(x, y),
  dropOrder: (x, y) => dragOrder.drop(x, y),
  cancelOrder: () => dragOrder.cancel(),
});
byId("zoom-in").addEventListener("click", () => mapView.camera.zoom(1.4, mapView.camera.width / 2, mapView.camera.height / 2));
byId("zoom-out").addEventListener("click", () => mapView.camera.zoom(1 / 1.4, mapView.camera.width / 2, mapView.camera.height / 2));
byId("fit").addEventListener("click", () => mapView.camera.fit());
byId("theme").addEventListener("click", () => theme.toggle());
window.addEventListener("hashchange", () => {
  const { sim, tick, view } = readAddress(settings.sim);
  if (sim !== connection.sim) {
    watch(sim, tick, view);
    return;
  }
  if (view) mapView.camera.setView(view);
  if (tick === null) playback.goLive();
  else playback.seek(tick);
});
setInterval(learnCourse, COURSE_MS);
startTabs();

/** @param {number} now */
function frame(now) {
  const time = playback.timeAt(now);
  const { world } = playback;
  if (world) {
    mapView.draw(world, time, now);
    if (now - tableAt > TABLE_MS) {
      tableAt = now;
      showPanels(world);
    }
  }
  requestAnimationFrame(frame);
}

/** @param {import("./world/world.js").World} world */
function showPanels(world) {
  const totals = world.totals();
  const until = playback.isLive ? timeline.totals : timeline.totals.filter(({ tick }) => tick <= world.tick);
  factionTable.show(world, totals, until, player.faction);
  timelineChart.show(world, timeline);
  details.show(mapView.selectionLayer.selection);
  timelineBar.show();
  player.show();
  writeAddress({ sim: playback.sim, tick: playback.isLive ? null : world.tick, view: mapView.camera.isMoved ? mapView.camera.view : null });
}

pageStart().ready();
watch(initialView.sim, initialView.tick, initialView.view);
picker.refresh();
requestAnimationFrame(frame);

export { mapView, playback };
