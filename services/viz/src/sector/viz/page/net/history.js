/** The archive: what the viz tells of the past, over HTTP. */

import { readMoments } from "../codec/tick-update.js";

/** @typedef {{tick: number, systems: number[], ships: number[], supply: number[]}} Totals by the row of a faction */
/** @typedef {{sim: string, status: string, first: number, tick: number, factions: string[], totals: Totals[], battles: [tick: number, count: number][]}} Course */
/** @typedef {{id: string, status: string, tick: number, at_ms: number}} SimHead */

/** What was asked for is not there, or cannot be had. */
export class ArchiveError extends Error {}

/** @param {string} path */
async function ask(path) {
  const answer = await fetch(new URL(path, location.href));
  if (answer.ok) return answer;
  const said = await answer.json().catch(() => ({}));
  throw new ArchiveError(said.message ?? `${answer.status} ${answer.statusText}`);
}

/** @returns {Promise<SimHead[]>} */
export async function allSims() {
  return (await (await ask("sims")).json()).sims;
}

/**
 * @param {string} sim
 * @returns {Promise<Course>}
 */
export async function courseOf(sim) {
  return (await ask(`sims/${sim}/course`)).json();
}

/** @param {string} sim @param {number} tick */
export async function stateAt(sim, tick) {
  const [moment] = readMoments(new Uint8Array(await (await ask(`sims/${sim}/state?tick=${tick}`)).arrayBuffer()));
  return moment;
}

/** @param {string} sim @param {number} after @param {number} limit */
export async function ticksAfter(sim, after, limit) {
  return readMoments(new Uint8Array(await (await ask(`sims/${sim}/ticks?after=${after}&limit=${limit}`)).arrayBuffer()));
}
