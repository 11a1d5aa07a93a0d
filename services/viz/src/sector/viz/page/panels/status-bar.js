/** The status bar: whether the world shown is live, and the tick, tick rate, worker and latency. */

import { pageStart } from "../core/page-start.js";
import { byId, setText } from "../ui/dom.js";
import { formatTime, formatNumber } from "../ui/format.js";

/** @typedef {import("../net/connection.js").Connection} Connection */
/** @typedef {import("../time/playback.js").Playback} Playback */
/** @typedef {{name: "waiting" | "lost" | "error" | "stale" | "past" | "finished" | "live", text: string, alarm: string}} State */

const STALE_AFTER_MS = 4_000;
const SHOW_ERROR_MS = 8_000;
const WORLD_TIMEOUT_MS = 5_000;

export class StatusBar {
  /** @param {Connection} connection @param {Playback} playback */
  constructor(connection, playback) {
    this.connection = connection;
    this.playback = playback;
    this.serverError = "";
    /** The last error of the playback, shown for SHOW_ERROR_MS. */
    this.playbackError = "";
    this.waitingSince = NaN;
    this.pill = byId("status");
    this.alarm = byId("alarm");
    connection.on("error", (error) => (this.serverError = error));
    connection.on("tick", () => (this.serverError = ""));
    connection.on("world", () => (this.serverError = ""));
    playback.on("error", (error) => {
      this.playbackError = error;
      setTimeout(() => (this.playbackError = ""), SHOW_ERROR_MS);
    });
    playback.on("world", () => (this.playbackError = ""));
    connection.on("worker", (worker) => setText(byId("worker"), worker ?? "none"));
    setInterval(() => this.show(), 250);
  }

  /** @returns {State} */
  #state() {
    const { connection, playback, serverError } = this;
    const { live, world } = playback;
    const shownTick = world ? ` The page shows tick ${world.tick}.` : "";
    const { problem } = pageStart();
    if (problem) return { name: "error", text: "not working", alarm: problem };
    if (connection.refusal) return { name: "error", text: "refused", alarm: connection.refusal };
    if (!connection.connected) {
      this.waitingSince = NaN;
      if (live) return { name: "lost", text: "connection lost", alarm: `The connection is lost; reconnecting …${connection.problem ? ` ${connection.problem}` : ""}${shownTick}` };
      return connection.problem ? { name: "error", text: "not connected", alarm: connection.problem } : { name: "waiting", text: "connecting …", alarm: "" };
    }
    if (this.playbackError) return { name: "error", text: "not shown", alarm: `${this.playbackError}.` };
    if (serverError) return { name: "error", text: "not live", alarm: `${serverError}.${shownTick}` };
    if (!live) return { name: "waiting", text: "waiting for the world …", alarm: this.#worldAlarm() };
    if (live.status === "finished") return { name: playback.isLive ? "finished" : "past", text: live.winner ? `finished: ${live.winner} wins` : "finished: a draw", alarm: "" };
    const silentMs = performance.now() - playback.lastTickAt;
    if (silentMs > Math.max(STALE_AFTER_MS, 4 * playback.tickPeriodMs)) {
      return { name: "stale", text: "stale", alarm: `The world is stale: no tick for ${Math.round(silentMs / 1000)} s.${shownTick}` };
    }
    if (!playback.isLive) return { name: "past", text: `past, ${formatNumber(live.tick - (world?.tick ?? 0))} ticks ago`, alarm: "" };
    return { name: "live", text: "live", alarm: "" };
  }

  /** The alarm while the viz has not sent a world. */
  #worldAlarm() {
    if (Number.isNaN(this.waitingSince)) this.waitingSince = performance.now();
    if (performance.now() - this.waitingSince < WORLD_TIMEOUT_MS) return "";
    return `The page is connected, but has not received the world of ${this.connection.sim}. It retries by itself. If that does not help, reload the page.`;
  }

  show() {
    const { name, text, alarm } = this.#state();
    document.body.dataset.state = name;
    this.pill.dataset.state = name;
    setText(this.pill, text);
    this.alarm.hidden = !alarm;
    delete this.alarm.dataset.loading;
    setText(this.alarm, alarm);
    const { playback, connection } = this;
    if (!playback.world) return;
    document.body.dataset.tick = String(playback.world.tick);
    setText(byId("tick"), formatNumber(playback.world.tick));
    byId("tick").title = playback.world.timestampMs ? formatTime(playback.world.timestampMs) : "";
    setText(byId("rate"), `${(1000 / playback.tickPeriodMs).toFixed(playback.tickPeriodMs > 2_000 ? 2 : 1)}/s`);
    setText(byId("latency"), Number.isNaN(connection.roundTripMs) ? "–" : `${connection.roundTripMs < 1 ? "<1" : Math.round(connection.roundTripMs)} ms`);
  }
}
