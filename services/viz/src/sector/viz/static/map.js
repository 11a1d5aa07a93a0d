/** The map: territory, lanes, systems, fleets and brief effects, drawn anew each frame. */

const EFFECT_MS = 900;
const NAMES_FROM_SCALE = 6;

export class MapView {
  /**
   * @param {import("./world.js").World} world
   * @param {import("./view.js").View} view
   */
  constructor(world, view) {
    this.world = world;
    this.view = view;
    this.context = /** @type {CanvasRenderingContext2D} */ (view.canvas.getContext("2d"));
    /** @type {{system: string, colour: string, since: number}[]} */
    this.effects = [];
    this.readTheme();
    matchMedia("(prefers-color-scheme: light)").addEventListener("change", () => this.readTheme());
  }

  readTheme() {
    const style = getComputedStyle(document.documentElement);
    /** @param {string} name */
    const read = (name) => style.getPropertyValue(name).trim();
    this.theme = {
      lane: read("--lane"),
      ink: read("--ink"),
      quiet: read("--quiet"),
      neutral: read("--neutral"),
      ground: read("--ground"),
      halo: Number(read("--halo")),
    };
  }

  /** @param {import("./world.js").WorldEvent[]} events */
  notice(events) {
    const since = performance.now();
    for (const event of events) {
      if (event.type === "battle" || event.type === "system_captured" || event.type === "system_claimed") {
        const colour = event.type === "battle" ? this.theme.ink : this.colour(/** @type {string | null} */ (event.faction));
        this.effects.push({ system: String(event.system), colour, since });
      }
    }
  }

  /** @param {string | null} faction */
  colour(faction) {
    return (faction !== null && this.world.factions.get(faction)?.colour) || this.theme.neutral;
  }

  draw() {
    const { view, context } = this;
    view.resize();
    const ratio = window.devicePixelRatio || 1;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, view.canvas.clientWidth, view.canvas.clientHeight);
    this.#territory();
    this.#lanes();
    this.#effects();
    this.#fleets();
    this.#systems();
  }

  #territory() {
    const { context, view } = this;
    const reach = 9 * view.scale;
    for (const system of this.world.systems.values()) {
      if (system.owner === null) continue;
      const { x, y } = view.place(system);
      const glow = context.createRadialGradient(x, y, 0, x, y, reach);
      glow.addColorStop(0, alpha(this.colour(system.owner), this.theme.halo));
      glow.addColorStop(0.65, alpha(this.colour(system.owner), this.theme.halo * 0.55));
      glow.addColorStop(1, alpha(this.colour(system.owner), 0));
      context.fillStyle = glow;
      context.fillRect(x - reach, y - reach, 2 * reach, 2 * reach);
    }
  }

  #lanes() {
    const { context, view, world } = this;
    context.lineWidth = 1.2;
    for (const lane of world.lanes) {
      const a = world.systems.get(lane.a);
      const b = world.systems.get(lane.b);
      if (!a || !b) continue;
      const from = view.place(a);
      const to = view.place(b);
      const shared = a.owner !== null && a.owner === b.owner;
      context.strokeStyle = shared ? alpha(this.colour(a.owner), 0.45) : this.theme.lane;
      context.beginPath();
      context.moveTo(from.x, from.y);
      context.lineTo(to.x, to.y);
      context.stroke();
    }
  }

  #systems() {
    const { context, view } = this;
    const size = Math.min(Math.max(view.scale, 3), 14);
    const named = view.scale >= NAMES_FROM_SCALE;
    context.textAlign = "center";
    for (const system of this.world.systems.values()) {
      const { x, y } = view.place(system);
      const radius = size * (0.5 + 0.12 * system.growth);
      context.beginPath();
      context.arc(x, y, radius, 0, 2 * Math.PI);
      context.fillStyle = system.owner === null ? this.theme.ground : this.colour(system.owner);
      context.fill();
      context.lineWidth = 1.5;
      context.strokeStyle = system.owner === null ? this.theme.neutral : this.theme.ground;
      context.stroke();
      if (!named) continue;
      context.font = `600 ${Math.round(11 + size / 7)}px system-ui, sans-serif`;
      context.fillStyle = this.theme.ink;
      context.fillText(short(system.ships), x, y - radius - 4);
      context.font = `${Math.round(10 + size / 7)}px system-ui, sans-serif`;
      context.fillStyle = this.theme.quiet;
      context.fillText(system.name, x, y + radius + 12);
    }
  }

  #fleets() {
    const { context, view, world } = this;
    const now = world.now();
    for (const fleet of world.fleets.values()) {
      const origin = world.systems.get(fleet.origin);
      const target = world.systems.get(fleet.target);
      if (!origin || !target) continue;
      const way = Math.min((now - fleet.departed) / (fleet.arrives - fleet.departed), 1);
      const { x, y } = view.place({ x: origin.x + (target.x - origin.x) * way, y: origin.y + (target.y - origin.y) * way });
      const size = Math.min(3 + Math.log2(fleet.ships + 1) * 0.7, 12) * Math.min(Math.max(view.scale / 8, 0.5), 1.3);
      context.save();
      context.translate(x, y);
      context.rotate(Math.atan2(target.y - origin.y, target.x - origin.x));
      context.beginPath();
      context.moveTo(size * 1.3, 0);
      context.lineTo(-size, size * 0.8);
      context.lineTo(-size * 0.5, 0);
      context.lineTo(-size, -size * 0.8);
      context.closePath();
      context.fillStyle = this.colour(fleet.owner);
      context.fill();
      context.lineWidth = 1;
      context.strokeStyle = this.theme.ground;
      context.stroke();
      context.restore();
    }
  }

  #effects() {
    const { context, view } = this;
    const now = performance.now();
    this.effects = this.effects.filter((effect) => now - effect.since < EFFECT_MS);
    for (const effect of this.effects) {
      const system = this.world.systems.get(effect.system);
      if (!system) continue;
      const age = (now - effect.since) / EFFECT_MS;
      const { x, y } = view.place(system);
      context.beginPath();
      context.arc(x, y, view.scale * (0.8 + 3.5 * age), 0, 2 * Math.PI);
      context.lineWidth = 2.5 * (1 - age) + 0.5;
      context.strokeStyle = alpha(effect.colour, 1 - age);
      context.stroke();
    }
  }
}

/** @param {string} colour #rrggbb @param {number} opacity 0 to 1 */
function alpha(colour, opacity) {
  return `${colour}${Math.round(opacity * 255).toString(16).padStart(2, "0")}`;
}

/** @param {number} ships */
export function short(ships) {
  if (ships < 10_000) return String(ships);
  return new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 }).format(ships);
}
