/** The page: Socket.IO brings a snapshot and then ticks; the map is drawn sixty times a second. */

import { io } from "./vendor/socket.io.esm.min.js";
import { MapView } from "./map.js";
import { showEvents, showFactions } from "./panel.js";
import { View } from "./view.js";
import { World } from "./world.js";

const STALE_MS = 5_000;

const canvas = /** @type {HTMLCanvasElement} */ (document.getElementById("map"));
const sim = /** @type {HTMLElement} */ (document.getElementById("sim"));
const status = /** @type {HTMLElement} */ (document.getElementById("status"));
const world = new World();
const view = new View(canvas);
const map = new MapView(world, view);
const socket = io({ path: new URL("ws", document.baseURI).pathname });

socket.on("snapshot", (snapshot) => {
  world.load(snapshot);
  view.setBounds(world.systems.values());
  refresh();
});

socket.on("tick", (/** @type {import("./world.js").Tick} */ tick) => {
  const outcome = world.apply(tick);
  if (outcome === "gap") socket.emit("resync");
  if (outcome !== "applied") return;
  map.notice(tick.events);
  showEvents(world, tick.events);
  refresh();
});

function refresh() {
  sim.textContent = `${world.sim} · tick ${world.tick}`;
  document.body.dataset.tick = String(world.tick);
  showFactions(world);
}

/** Say plainly whether what is shown is live. */
function state() {
  if (!socket.connected) return world.tick < 0 ? ["waiting", "connecting …"] : ["lost", `connection lost at tick ${world.tick}; reconnecting …`];
  if (world.tick < 0) return ["waiting", "waiting for the world …"];
  if (world.status === "finished") return ["live", world.winner ? `finished: ${world.winner} wins` : "finished: a draw"];
  const silentMs = performance.now() - world.tickedAt;
  if (silentMs > Math.max(STALE_MS, 4 * world.periodMs)) return ["stale", `no tick for ${Math.round(silentMs / 1000)} s`];
  return ["live", `live · ${(1000 / world.periodMs).toFixed(1)} ticks/s`];
}

setInterval(() => {
  const [name, text] = state();
  status.dataset.state = name;
  if (status.textContent !== text) status.textContent = text;
}, 250);

(function frame() {
  map.draw();
  requestAnimationFrame(frame);
})();
