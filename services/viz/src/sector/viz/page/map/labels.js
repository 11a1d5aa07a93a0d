/** Label placement: names and garrisons, as many as fit. While zooming out, important systems keep their labels longest. */

/** @typedef {import("../world/world-map.js").WorldMap} WorldMap */

const PIXELS_PER_LABEL = 4_000;
const LETTER_WIDTH = 0.6;
const GAP = 3;

/**
 * Return the systems in the order in which they get labels: homes first, then by growth. It is constant, so labels do not flicker.
 * @param {WorldMap} map
 */
export function orderByImportance(map) {
  const homes = new Set(map.homes);
  const order = Int32Array.from({ length: map.count }, (_, row) => row);
  return order.sort((a, b) => Number(homes.has(b)) - Number(homes.has(a)) || map.growth[b] - map.growth[a] || a - b);
}

/**
 * Return the systems in the picture that get a label.
 * @param {WorldMap} map
 * @param {Int32Array} order
 * @param {import("./camera.js").Camera} camera
 * @param {{size: number, reach: number, withNames: boolean}} look size of the text and radius of a system, in CSS pixels
 */
export function placeLabels(map, order, camera, { size, reach, withNames }) {
  const height = 2 * (reach + size) + GAP;
  /** @type {Map<number, {x: number, y: number, width: number}[]>} by row of the picture */
  const boxesByRow = new Map();
  const maxLabels = (camera.width * camera.height) / PIXELS_PER_LABEL;
  const systems = [];
  for (const system of order) {
    const x = map.x[system] * camera.scale + camera.x;
    const y = map.y[system] * camera.scale + camera.y;
    if (x < -20 || y < -20 || x > camera.width + 20 || y > camera.height + 20) continue;
    const width = (withNames ? Math.max(map.names[system].length, 3) : 3) * size * LETTER_WIDTH + GAP;
    const row = Math.floor(y / height);
    const neighbours = [row - 1, row, row + 1].flatMap((each) => boxesByRow.get(each) ?? []);
    if (neighbours.some((other) => Math.abs(other.y - y) < height && Math.abs(other.x - x) < (other.width + width) / 2)) continue;
    const boxes = boxesByRow.get(row);
    if (boxes) boxes.push({ x, y, width });
    else boxesByRow.set(row, [{ x, y, width }]);
    systems.push(system);
    if (systems.length >= maxLabels) break;
  }
  return systems;
}
