/** The address bar: its hash has the sim, tick and view, so that a shared link shows the same. */

/** @typedef {{sim: string, tick: number | null, view: number[] | null}} Address */

const SIM = /^[a-z0-9][a-z0-9_-]{0,62}$/;
const MIN_WRITE_INTERVAL_MS = 400;

/** @param {string} defaultSim the sim of this viz @returns {Address} */
export function readAddress(defaultSim) {
  const params = new URLSearchParams(location.hash.slice(1));
  const [sim, tick, view] = [params.get("sim") ?? "", params.get("tick") ?? "", (params.get("view") ?? "").split(",").map(Number)];
  return {
    sim: SIM.test(sim) ? sim : defaultSim,
    tick: /^\d{1,15}$/.test(tick) ? Number(tick) : null,
    view: view.length === 3 && view.every(Number.isFinite) && view[2] > 0 ? view : null,
  };
}

let lastHash = "";
let writeTimer = 0;

/**
 * Write the address after a delay, because browsers limit how often a page may do so.
 * @param {Address} address
 */
export function writeAddress({ sim, tick, view }) {
  const parts = [`sim=${sim}`, ...(tick === null ? [] : [`tick=${tick}`]), ...(view ? [`view=${viewText(view)}`] : [])];
  const hash = `#${parts.join("&")}`;
  if (hash === lastHash) return;
  lastHash = hash;
  clearTimeout(writeTimer);
  writeTimer = window.setTimeout(() => {
    try {
      history.replaceState(null, "", hash);
    } catch {
      // The browser refused this update. The next one is written.
      lastHash = "";
    }
  }, MIN_WRITE_INTERVAL_MS);
}

/**
 * Format a view. The scale has significant digits, because that of a wide map is far below 0.01.
 * @param {number[]} view
 */
function viewText([x, y, scale]) {
  return [x.toFixed(2), y.toFixed(2), scale.toPrecision(4)].map(Number).join(",");
}
