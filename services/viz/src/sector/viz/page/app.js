/** The page: creates its parts and connects them. Updates flow from the connection to the playback, and from there to map and panels. */

import { readAddress, writeAddress } from "./core/address.js";
import { pageStart } from "./core/page-start.js";
import { connectMapControls } from "./map/map-controls.js";
import { MapView } from "./map/map-view.js";
import { selectionPosition } from "./map/selection-layer.js";
import { isOtherVersion } from "./net/connection-check.js";
import { Connection } from "./net/connection.js";
import { DetailsPanel } from "./panels/details.js";
import { EventBackfill } from "./panels/event-backfill.js";
import { EventLog } from "./panels/event-log.js";
import { FactionTable } from "./panels/faction-table.js";
import { Search } from "./panels/search.js";
import { SimPicker } from "./panels/sim-picker.js";
import { StatusBar } from "./panels/status-bar.js";
import { startTabs } from "./panels/tabs.js";
import { DragOrder } from "./play/drag-order.js";
import { OrderForm } from "./play/order-form.js";
import { Player } from "./play/player.js";
import { Playback } from "./time/playback.js";
import { TimelineBar } from "./time/timeline-bar.js";
import { TimelineChart } from "./time/timeline-chart.js";
import { TimelineLoader } from "./time/timeline-loader.js";
import { Timeline } from "./time/timeline.js";
import { byId } from "./ui/dom.js";
import { Theme } from "./ui/theme.js";

/** @typedef {import("./codec/event-rows.js").WorldEvent} WorldEvent */
/** @typedef {import("./codec/tick-update.js").TickUpdate} TickUpdate */
/** @typedef {import("./core/address.js").Address} Address */
/** @typedef {import("./map/selection-layer.js").Selection} Selection */
/** @typedef {import("./world/world-map.js").WorldMap} WorldMap */
/** @typedef {import("./world/world.js").World} World */
/** @typedef {{sim: string, api: string, polling: boolean}} Settings of the viz, from index.html */

const CLOSE_SCALE = 14;
const PANEL_INTERVAL_MS = 240;

export class App {
  /** @param {Settings} settings */
  constructor(settings) {
    this.settings = settings;
    this.theme = new Theme();
    this.playback = new Playback();
    this.timeline = new Timeline();
    this.connection = new Connection(settings.polling);
    this.timelineLoader = new TimelineLoader(this.connection, this.timeline);
    this.mapView = new MapView(/** @type {HTMLCanvasElement} */ (byId("base-layer")), /** @type {HTMLCanvasElement} */ (byId("fleet-layer")), this.theme);
    this.player = new Player(settings.api, this.playback, this.theme);
    const seek = (/** @type {number} */ tick) => this.playback.seek(tick);
    const showSystem = (/** @type {number} */ row) => this.select({ kind: "system", id: row }, true);
    this.eventLog = new EventLog(this.theme, { system: showSystem, tick: seek });
    this.eventBackfill = new EventBackfill(this.playback, this.timelineLoader, this.eventLog);
    this.factionTable = new FactionTable(this.theme, (faction) => this.eventLog.toggleFaction(faction));
    this.timelineChart = new TimelineChart(this.theme, seek);
    this.timelineBar = new TimelineBar(this.playback, this.timeline, this.theme);
    const dragOrder = new DragOrder(this.playback, this.mapView, this.player);
    const orderForm = new OrderForm(this.player, dragOrder);
    this.details = new DetailsPanel(this.playback, this.theme, this.eventLog, (selection) => this.select(selection, true), (world, system) => orderForm.create(world, system));
    this.simPicker = new SimPicker((sim) => this.watch({ sim, tick: null, view: null }));
    this.panelsAt = 0;
    this.initialView = readAddress(settings.sim);
    new StatusBar(this.connection, this.playback);
    new Search(this.playback, { system: showSystem, faction: (faction) => this.eventLog.setFaction(faction) });
    connectMapControls(this.mapView, this.playback, dragOrder, (selection) => this.select(selection));
    startTabs();
    this.#listen();
  }

  /** Watch the sim in the address bar, and draw. */
  start() {
    this.watch(this.initialView);
    this.simPicker.refresh();
    requestAnimationFrame((now) => this.#drawFrame(now));
  }

  /** @param {Address} view what to show first */
  watch(view) {
    const { sim } = view;
    this.initialView = view;
    this.timeline.clear();
    this.eventLog.clear();
    this.player.suspend();
    this.select(null);
    this.mapView.camera.isMoved = false;
    this.simPicker.show(sim);
    document.title = `${sim} · Sector`;
    this.connection.watch(sim);
  }

  /** @param {Selection | null} selection @param {boolean} [fly] whether to move the camera there */
  select(selection, fly = false) {
    const { world, time } = this.playback;
    this.mapView.selectionLayer.set({ selection });
    const position = fly && world && selection ? selectionPosition(world, selection, time) : null;
    if (position) this.mapView.camera.flyTo(position, CLOSE_SCALE);
    this.details.refresh();
    this.details.show(selection);
  }

  #listen() {
    const { connection, playback, details } = this;
    connection.on("world", ({ sim, map, update }) => this.#onWorld(sim, map, update));
    connection.on("tick", (update) => this.#onTick(update));
    connection.on("unreadable", async () => {
      if (await isOtherVersion()) pageStart().reload("This page is of another version than the viz");
    });
    playback.on("tick", (events) => this.#onEvents(events));
    playback.on("world", () => this.#onWorldChange());
    playback.on("mode", () => details.refresh());
    this.player.on("change", () => details.refresh());
    byId("theme").addEventListener("click", () => this.theme.toggle());
    window.addEventListener("hashchange", () => this.#onAddressChange());
  }

  /** @param {string} sim @param {WorldMap} map @param {TickUpdate} update */
  #onWorld(sim, map, update) {
    const { playback, initialView } = this;
    const isFirst = playback.sim !== sim || !playback.live;
    if (playback.live && playback.live.map !== map) {
      // This is another sim, or the sim was created again: its history is another one.
      this.timeline.clear();
      this.eventLog.clear();
    }
    playback.load(sim, map, update);
    this.mapView.camera.setBounds(map.bounds);
    this.timelineLoader.load();
    if (!isFirst) return;
    if (initialView.view) this.mapView.camera.setView(initialView.view);
    if (initialView.tick !== null) playback.seek(initialView.tick);
    this.player.resume();
  }

  /** @param {TickUpdate} update */
  #onTick(update) {
    this.playback.applyTick(update);
    const { live } = this.playback;
    if (live) this.timeline.add(live.totals(), update.events?.tables.battle?.rows ?? 0);
  }

  /** @param {WorldEvent[]} events */
  #onEvents(events) {
    const { world } = this.playback;
    if (!world) return;
    this.eventLog.add(world, events);
    this.mapView.effectLayer.addEvents(world, events);
  }

  /** The playback shows another world, or another tick. */
  #onWorldChange() {
    if (!this.playback.isLive || this.playback.seekNumber) this.eventLog.clear();
    this.mapView.effectLayer.clear();
    this.eventBackfill.schedule();
  }

  #onAddressChange() {
    const address = readAddress(this.settings.sim);
    if (address.sim !== this.connection.sim) {
      this.watch(address);
      return;
    }
    if (address.view) this.mapView.camera.setView(address.view);
    if (address.tick === null) this.playback.goLive();
    else this.playback.seek(address.tick);
  }

  /** @param {number} now */
  #drawFrame(now) {
    const time = this.playback.timeAt(now);
    const { world } = this.playback;
    if (world) {
      this.mapView.draw(world, time, now);
      if (now - this.panelsAt > PANEL_INTERVAL_MS) {
        this.panelsAt = now;
        this.#showPanels(world);
      }
    }
    requestAnimationFrame((next) => this.#drawFrame(next));
  }

  /** @param {World} world */
  #showPanels(world) {
    const { mapView, playback, timeline } = this;
    const history = playback.isLive ? timeline.totals : timeline.totals.filter(({ tick }) => tick <= world.tick);
    this.factionTable.show(world, world.totals(), history, this.player.faction);
    this.timelineChart.show(world, timeline);
    this.details.show(mapView.selectionLayer.selection);
    this.timelineBar.show();
    this.player.show();
    writeAddress({ sim: playback.sim, tick: playback.isLive ? null : world.tick, view: mapView.camera.isMoved ? mapView.camera.view : null });
  }
}
