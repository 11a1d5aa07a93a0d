/** Labels: names and garrisons, as many as there is room for. Who matters more keeps its label longer while one zooms out. */

/** @typedef {import("../world/world.js").WorldMap} WorldMap */

const PIXELS_A_LABEL = 4_000;
const LETTER = 0.6;
const GAP = 3;

/**
 * Return systems in the order in which they are given room: homes first, then by growth. It never changes, so labels do not flicker.
 * @param {WorldMap} map
 */
export function byImportance(map) {
  const homes = new Set(map.homes);
  const order = Int32Array.from({ length: map.count }, (_, row) => row);
  return order.sort((a, b) => Number(homes.has(b)) - Number(homes.has(a)) || map.growth[b] - map.growth[a] || a - b);
}

/**
 * Return which systems get a label, of those in the picture.
 * @param {WorldMap} map
 * @param {Int32Array} order
 * @param {import("./camera.js").Camera} camera
 * @param {{size: number, reach: number, named: boolean}} look size of the text and radius of a system, in CSS pixels
 */
export function labelled(map, order, camera, { size, reach, named }) {
  const high = 2 * (reach + size) + GAP;
  /** @type {Map<number, {x: number, y: number, wide: number}[]>} by row of the picture */
  const taken = new Map();
  const most = (camera.width * camera.height) / PIXELS_A_LABEL;
  const chosen = [];
  for (const system of order) {
    const x = map.x[system] * camera.scale + camera.x;
    const y = map.y[system] * camera.scale + camera.y;
    if (x < -20 || y < -20 || x > camera.width + 20 || y > camera.height + 20) continue;
    const wide = (named ? Math.max(map.names[system].length, 3) : 3) * size * LETTER + GAP;
    const row = Math.floor(y / high);
    const near = [row - 1, row, row + 1].flatMap((each) => taken.get(each) ?? []);
    if (near.some((other) => Math.abs(other.y - y) < high && Math.abs(other.x - x) < (other.wide + wide) / 2)) continue;
    const own = taken.get(row);
    if (own) own.push({ x, y, wide });
    else taken.set(row, [{ x, y, wide }]);
    chosen.push(system);
    if (chosen.length >= most) break;
  }
  return chosen;
}
