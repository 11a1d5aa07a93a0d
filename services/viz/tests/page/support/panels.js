/** Helpers for tests of the panels. */

import { Emitter } from "../../../src/sector/viz/page/core/emitter.js";

/** @param {string} id of an element of the page @returns {any} */
export function element(id) {
  return document.getElementById(id);
}

/**
 * Return a playback that is live, with other fields in place of its own.
 * @param {Record<string, unknown>} [fields]
 * @returns {any}
 */
export function playbackOf(fields = {}) {
  return Object.assign(new Emitter(), { isLive: true, tickPeriodMs: 500, lastTickAt: 0, isPlaying: false, ...fields });
}
