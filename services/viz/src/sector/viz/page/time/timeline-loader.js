/** Loads the timeline of the sim from the viz, and again each minute. */

import { fetchTimeline } from "../net/history.js";

/** @typedef {import("../net/connection.js").Connection} Connection */
/** @typedef {import("./timeline.js").Timeline} Timeline */

const REFRESH_MS = 60_000;

export class TimelineLoader {
  /** @param {Connection} connection @param {Timeline} timeline */
  constructor(connection, timeline) {
    this.connection = connection;
    this.timeline = timeline;
    /** The load in progress, or the last one. It never rejects. */
    this.loading = Promise.resolve();
    setInterval(() => this.load(), REFRESH_MS);
  }

  load() {
    this.loading = this.#load();
  }

  async #load() {
    const { sim } = this.connection;
    try {
      const data = await fetchTimeline(sim);
      // The user may have switched to another sim in the meantime.
      if (sim === this.connection.sim) this.timeline.load(data);
    } catch (error) {
      // The map works without it. The timeline then begins when the page did.
      console.info(`timeline not loaded: ${error}`);
    }
  }
}
