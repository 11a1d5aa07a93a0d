/** The page, wired: what comes over the connection goes to the playback, and what the playback shows to map, panels and address. */

import { readAddress, writeAddress } from "./core/address.js";
import { fetchTimeline, fetchTicks } from "./net/history.js";
import { Command } from "./play/command.js";
import { Connection } from "./net/connection.js";
import { TimelineChart } from "./time/timeline-chart.js";
import { isOtherVersion } from "./net/connection-check.js";
import { byId } from "./ui/dom.js";
import { readEvents } from "./codec/event-rows.js";
import { FactionTable } from "./panels/faction-table.js";
import { Feed } from "./panels/event-log.js";
import { Gestures } from "./map/gestures.js";
import { Timeline } from "./time/timeline.js";
import { MapView } from "./map/map-view.js";
import { selectionPosition } from "./map/selection-layer.js";
import { Player } from "./play/player.js";
import { Search } from "./panels/search.js";
import { SimPicker } from "./panels/sim-picker.js";
import { Playback } from "./time/playback.js";
import { pageStart } from "./core/page-start.js";
import { Status } from "./panels/status-bar.js";
import { Story } from "./panels/details.js";
import { startTabs } from "./panels/tabs.js";
import { Theme } from "./ui/theme.js";
import { TimelineBar } from "./time/timeline-bar.js";

/** @typedef {import("./map/selection-layer.js").Selection} Selection */

const CLOSE_SCALE = 14;
const TABLE_MS = 240;
const COURSE_MS = 60_000;
const RECALLED = 20;
const RECALL_MS = 200;

const settings = JSON.parse(/** @type {HTMLMetaElement} */ (document.querySelector("meta[name=sector]")).content);
const theme = new Theme();
const playback = new Playback();
const timeline = new Timeline();
const connection = new Connection(settings.polling);
const map = new MapView(/** @type {HTMLCanvasElement} */ (byId("ground")), /** @type {HTMLCanvasElement} */ (byId("traffic")), theme);
const player = new Player(settings.api, playback, theme);
const command = new Command(playback, map, player);
const feed = new Feed(theme, { system: (row) => select({ kind: "system", id: row }, true), tick: (tick) => playback.seek(tick) });
const table = new FactionTable(theme, (faction) => feed.toggleFaction(faction));
const timelineChart = new TimelineChart(theme, (tick) => playback.seek(tick));
const story = new Story(playback, theme, feed, (selection) => select(selection, true), (world, system) => command.forms(world, system));
const timelineBar = new TimelineBar(playback, timeline, theme);
new Status(connection, playback);
const picker = new SimPicker((sim) => watch(sim, null, null));
let address = readAddress(settings.sim);
let tableAt = 0;
let recalling = 0;

/** @param {string} sim @param {number | null} tick @param {number[] | null} view */
function watch(sim, tick, view) {
  address = { sim, tick, view };
  timeline.clear();
  feed.clear();
  player.rest();
  select(null);
  map.camera.isMoved = false;
  picker.show(sim);
  document.title = `${sim} · Sector`;
  connection.watch(sim);
}

/** @param {Selection | null} selection @param {boolean} [fly] */
function select(selection, fly = false) {
  map.selectionLayer.set({ selection });
  const { world } = playback;
  const place = fly && world && selection ? selectionPosition(world, selection, playback.time) : null;
  if (place) map.camera.flyTo(place, CLOSE_SCALE);
  story.refresh();
  story.show(selection);
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
  const after = Math.max(tick - RECALLED, timeline.firstTick);
  try {
    const updates = await fetchTicks(sim, after, tick - after || 1);
    if (playback.sim === sim && (playback.world === world || playback.isLive)) feed.learn(world, updates.flatMap(({ events }) => readEvents(events)).filter((event) => event.tick <= tick));
  } catch (error) {
    console.info(`what happened before cannot be had: ${error}`);
  }
}

connection.on("world", ({ sim, map: places, update }) => {
  const isFirst = playback.sim !== sim || !playback.live;
  if (playback.live && playback.live.map !== places) {
    // Founded anew, or another sim: what was learnt is of no use.
    timeline.clear();
    feed.clear();
  }
  playback.load(sim, places, update);
  map.camera.setBounds(places.bounds);
  learnCourse();
  if (!isFirst) return;
  if (address.view) map.camera.setView(address.view);
  if (address.tick !== null) playback.seek(address.tick);
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
  feed.notice(playback.world, events);
  map.effectLayer.addEvents(playback.world, events);
});
playback.on("world", () => {
  if (!playback.isLive || playback.seekNumber) feed.clear();
  map.effectLayer.clear();
  clearTimeout(recalling);
  recalling = window.setTimeout(recall, RECALL_MS);
});
playback.on("mode", () => story.refresh());
player.on("change", () => story.refresh());
new Search(playback, { system: (row) => select({ kind: "system", id: row }, true), faction: (faction) => feed.setFaction(faction) });
new Gestures(byId("traffic"), map.camera, {
  pick: (x, y) => playback.world && select(map.pick(playback.world, playback.time, x, y)),
  hover: (x, y) => {
    const hovered = playback.world && map.pick(playback.world, playback.time, x, y);
    if (hovered?.kind !== map.selectionLayer.hover?.kind || hovered?.id !== map.selectionLayer.hover?.id) map.selectionLayer.set({ hover: hovered });
    byId("traffic").style.cursor = hovered ? "pointer" : "";
  },
  canStartOrder: (x, y) => command.canAim(x, y),
  dragOrder: (x, y) => command.aim(x, y),
  dropOrder: (x, y) => command.release(x, y),
  cancelOrder: () => command.cancel(),
});
byId("zoom-in").addEventListener("click", () => map.camera.zoom(1.4, map.camera.width / 2, map.camera.height / 2));
byId("zoom-out").addEventListener("click", () => map.camera.zoom(1 / 1.4, map.camera.width / 2, map.camera.height / 2));
byId("fit").addEventListener("click", () => map.camera.fit());
byId("theme").addEventListener("click", () => theme.toggle());
window.addEventListener("hashchange", () => {
  const { sim, tick, view } = readAddress(settings.sim);
  if (sim !== connection.sim) {
    watch(sim, tick, view);
    return;
  }
  if (view) map.camera.setView(view);
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
    map.draw(world, time, now);
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
  table.show(world, totals, until, player.faction);
  timelineChart.show(world, timeline);
  story.show(map.selectionLayer.selection);
  timelineBar.show();
  player.show();
  writeAddress({ sim: playback.sim, tick: playback.isLive ? null : world.tick, view: map.camera.isMoved ? map.camera.view : null });
}

pageStart().ready();
watch(address.sim, address.tick, address.view);
picker.refresh();
requestAnimationFrame(frame);

export { map, playback };
