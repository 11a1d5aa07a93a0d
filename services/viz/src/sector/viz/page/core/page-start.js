/** The start of the page, as `boot.js` left it: it runs before the modules, and without them. */

/**
 * @typedef {object} PageStart
 * @property {string} problem what keeps the page from working, with the remedy; or empty
 * @property {() => void} ready the page runs
 * @property {(cause: string) => void} reload reload the page, a few times at most
 * @property {(problem: string) => void} fail
 */

/** @type {PageStart} */
const NO_BOOT_SCRIPT = { problem: "", ready() {}, reload() {}, fail() {} };

/** @returns {PageStart} */
export function pageStart() {
  return /** @type {any} */ (globalThis).pageStart ?? NO_BOOT_SCRIPT;
}
