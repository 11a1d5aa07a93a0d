/** Typed access to the global that `boot.js` sets. That script runs before the modules. */

/**
 * @typedef {object} PageStart
 * @property {string} problem why the page does not work, and what to do; or empty
 * @property {() => void} ready called once the page runs
 * @property {(cause: string) => void} reload reload the page, a limited number of times
 * @property {(problem: string) => void} fail show a problem
 */

/** @type {PageStart} */
const NO_BOOT_SCRIPT = { problem: "", ready() {}, reload() {}, fail() {} };

/** @returns {PageStart} */
export function pageStart() {
  return /** @type {any} */ (globalThis).pageStart ?? NO_BOOT_SCRIPT;
}
