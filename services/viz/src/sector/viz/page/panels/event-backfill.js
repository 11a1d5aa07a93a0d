/** Fills the event log with the events of the ticks before the one that is shown. */

import { readEvents } from "../codec/event-rows.js";
import { fetchTicks } from "../net/history.js";

/** @typedef {import("../time/playback.js").Playback} Playback */
/** @typedef {import("../time/timeline-loader.js").TimelineLoader} TimelineLoader */
/** @typedef {import("./event-log.js").EventLog} EventLog */

const TICKS = 20;
const DELAY_MS = 200;

export class EventBackfill {
  /** @param {Playback} playback @param {TimelineLoader} loader @param {EventLog} eventLog */
  constructor(playback, loader, eventLog) {
    this.playback = playback;
    this.loader = loader;
    this.eventLog = eventLog;
    this.timer = 0;
  }

  /** Fill the log soon. Of several calls in a row, the last one counts. */
  schedule() {
    clearTimeout(this.timer);
    this.timer = window.setTimeout(() => this.#fill(), DELAY_MS);
  }

  async #fill() {
    const { playback } = this;
    const { world, sim } = playback;
    if (!world || world.tick === 0) return;
    const { tick } = world;
    await this.loader.loading;
    const after = Math.max(tick - TICKS, this.loader.timeline.firstTick);
    try {
      const updates = await fetchTicks(sim, after, tick - after || 1);
      const isOutdated = playback.sim !== sim || (playback.world !== world && !playback.isLive);
      if (!isOutdated) this.eventLog.addEarlier(world, updates.flatMap(({ events }) => readEvents(events)).filter((event) => event.tick <= tick));
    } catch (error) {
      console.info(`earlier events not loaded: ${error}`);
    }
  }
}
