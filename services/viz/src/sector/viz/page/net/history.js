/** The client of the history that the viz serves over HTTP: sims, timeline, states and ticks. */

import { readTickUpdates } from "../codec/tick-update.js";

/** @typedef {{tick: number, systems: number[], ships: number[], supply: number[]}} FactionTotals by the row of a faction */
/** @typedef {{sim: string, status: string, first: number, tick: number, factions: string[], totals: FactionTotals[], battles: [tick: number, count: number][]}} TimelineData */
/** @typedef {{id: string, status: string, tick: number, at_ms: number}} SimSummary */

const NOT_FOUND = 404;

/** The viz has no such history, or cannot read it. */
export class HistoryError extends Error {
  /** @param {string} message @param {number} status */
  constructor(message, status) {
    super(message);
    this.status = status;
  }
}

/** @param {string} path */
async function get(path) {
  const response = await fetch(new URL(path, location.href));
  if (response.ok) return response;
  const problem = await response.json().catch(() => ({}));
  throw new HistoryError(problem.message ?? `${response.status} ${response.statusText}`, response.status);
}

/** @returns {Promise<SimSummary[]>} */
export async function fetchSims() {
  return (await (await get("sims")).json()).sims;
}

/**
 * @param {string} sim
 * @returns {Promise<TimelineData>}
 */
export async function fetchTimeline(sim) {
  const response = await get(`sims/${sim}/timeline`).catch((error) => {
    if (error.status !== NOT_FOUND) throw error;
    // The path of a viz of version 0.5, as during a rolling update.
    return get(`sims/${sim}/course`);
  });
  return response.json();
}

/** @param {string} sim @param {number} tick */
export async function fetchState(sim, tick) {
  const [update] = readTickUpdates(new Uint8Array(await (await get(`sims/${sim}/state?tick=${tick}`)).arrayBuffer()));
  return update;
}

/** @param {string} sim @param {number} after @param {number} limit */
export async function fetchTicks(sim, after, limit) {
  return readTickUpdates(new Uint8Array(await (await get(`sims/${sim}/ticks?after=${after}&limit=${limit}`)).arrayBuffer()));
}
