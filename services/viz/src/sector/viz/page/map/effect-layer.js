/** The effect layer: flashes for battles, rings for captures, and bubbles for notes. */

import { systemRow } from "../codec/event-rows.js";
import { cssColour } from "../ui/theme.js";

/** @typedef {import("../codec/event-rows.js").WorldEvent} WorldEvent */
/** @typedef {import("../ui/theme.js").Colour} Colour */
/** @typedef {import("../ui/theme.js").Theme} Theme */
/** @typedef {import("../world/world.js").World} World */
/** @typedef {import("./camera.js").Camera} Camera */
/** @typedef {{kind: "battle" | "capture" | "note", system: number, colour: Colour | null, text: string, startTime: number}} Effect */

const DURATION_MS = { battle: 700, capture: 1_100, note: 9_000 };
const MAX_EFFECTS = 400;
const MAX_NOTE_LENGTH = 42;

export class EffectLayer {
  /** @param {CanvasRenderingContext2D} context @param {Camera} camera @param {Theme} theme */
  constructor(context, camera, theme) {
    this.context = context;
    this.camera = camera;
    this.theme = theme;
    /** @type {Effect[]} */
    this.active = [];
  }

  clear() {
    this.active = [];
  }

  /** @param {World} world @param {WorldEvent[]} events */
  addEvents(world, events) {
    const startTime = performance.now();
    const colours = this.theme.factionColours(world.colours);
    const colourOf = (/** @type {string | null} */ faction) => (faction === null ? null : (colours[world.factions.indexOf(faction)] ?? null));
    for (const event of events) {
      if (event.type === "battle") this.#add({ kind: "battle", system: systemRow(event.system), colour: colourOf(event.winner), text: "", startTime });
      else if (event.type === "system_captured" || event.type === "system_claimed" || event.type === "faction_joined") {
        this.#add({ kind: "capture", system: systemRow(event.system), colour: colourOf(event.faction), text: "", startTime });
      } else if (event.type === "note" && event.system) {
        const letters = [...event.text];
        const text = letters.length > MAX_NOTE_LENGTH ? `${letters.slice(0, MAX_NOTE_LENGTH).join("")}…` : event.text;
        this.#add({ kind: "note", system: systemRow(event.system), colour: colourOf(event.faction), text, startTime });
      }
    }
  }

  /** @param {Effect} effect */
  #add(effect) {
    this.active.push(effect);
    if (this.active.length > MAX_EFFECTS) this.active.shift();
  }

  /**
   * Draw the effects. Returns whether any is still active.
   * @param {World} world
   * @param {number} now
   */
  draw(world, now) {
    this.active = this.active.filter((effect) => now - effect.startTime < DURATION_MS[effect.kind]);
    const { map } = world;
    for (const effect of this.active) {
      const x = map.x[effect.system] * this.camera.scale + this.camera.x;
      const y = map.y[effect.system] * this.camera.scale + this.camera.y;
      const age = Math.max((now - effect.startTime) / DURATION_MS[effect.kind], 0);
      if (effect.kind === "note") this.#drawNote(effect, x, y, age);
      else this.#drawRing(effect, x, y, age);
    }
    return this.active.length > 0;
  }

  /** @param {Effect} effect @param {number} x @param {number} y @param {number} age 0 to 1 */
  #drawRing(effect, x, y, age) {
    const { context, camera } = this;
    const reach = Math.min(Math.max(camera.scale * 3.2, 7), 60);
    context.beginPath();
    context.arc(x, y, reach * (0.25 + 0.75 * (1 - (1 - age) ** 2)), 0, 2 * Math.PI);
    context.lineWidth = (effect.kind === "battle" ? 2.5 : 4) * (1 - age) + 0.4;
    context.globalAlpha = 1 - age;
    context.strokeStyle = effect.kind === "battle" || !effect.colour ? this.theme.colours.text : cssColour(effect.colour);
    context.stroke();
    if (effect.kind === "battle") {
      context.fillStyle = this.theme.colours.text;
      context.globalAlpha = 0.25 * (1 - age) ** 3;
      context.fill();
    }
    context.globalAlpha = 1;
  }

  /** @param {Effect} effect @param {number} x @param {number} y @param {number} age 0 to 1 */
  #drawNote(effect, x, y, age) {
    const { context, theme } = this;
    context.globalAlpha = Math.min(1, (1 - age) * 6, age * 40);
    context.font = "500 12px system-ui, sans-serif";
    const width = context.measureText(effect.text).width + 18;
    const [left, top] = [x - width / 2, y - 52];
    context.beginPath();
    context.roundRect(left, top, width, 24, 8);
    context.moveTo(x - 5, top + 24);
    context.lineTo(x, top + 32);
    context.lineTo(x + 5, top + 24);
    context.fillStyle = theme.colours.background;
    context.fill();
    context.lineWidth = 1.5;
    context.strokeStyle = effect.colour ? cssColour(effect.colour) : theme.colours.neutral;
    context.stroke();
    context.fillStyle = theme.colours.text;
    context.textAlign = "center";
    context.fillText(effect.text, x, top + 16);
    context.globalAlpha = 1;
  }
}
