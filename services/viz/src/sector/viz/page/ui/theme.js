/** The theme: light or dark, with the colours from the style sheet and those of the factions. */

import { PageStorage } from "../core/storage.js";
import { byId } from "./dom.js";

/** @typedef {[red: number, green: number, blue: number]} Colour */

const STORAGE_KEY = "sector.theme";
/** The colours that the style sheet defines for the map. */
const COLOURS = ["background", "lane", "text", "muted", "neutral", "accent"];
const PALETTE_SIZE = 8;

export class Theme {
  constructor() {
    this.version = 0;
    this.territoryOpacity = 0;
    this.isLight = false;
    /** @type {Record<string, string>} */
    this.colours = {};
    this.light = /** @type {HTMLLinkElement} */ (byId("light"));
    this.storage = new PageStorage("localStorage");
    const scheme = this.storage.read(STORAGE_KEY);
    if (scheme === "light" || scheme === "dark") this.#apply(scheme);
    this.light.addEventListener("load", () => this.#read());
    matchMedia("(prefers-color-scheme: light)").addEventListener("change", () => this.#read());
    this.#read();
  }

  /** Switch between dark and light, and store the choice. */
  toggle() {
    const next = this.isLight ? "dark" : "light";
    this.storage.write(STORAGE_KEY, next);
    this.#apply(next);
    this.#read();
  }

  /** @param {string} scheme overrides the preference of the system */
  #apply(scheme) {
    document.documentElement.dataset.theme = scheme;
    this.light.media = scheme === "light" ? "all" : "not all";
  }

  #read() {
    const style = getComputedStyle(document.documentElement);
    const read = (/** @type {string} */ name) => style.getPropertyValue(`--${name}`).trim();
    for (const name of COLOURS) this.colours[name] = read(name);
    this.isLight = read("scheme") === "light";
    this.territoryOpacity = Number(read("territory-opacity"));
    this.version++;
  }

  /**
   * Return the colours of factions. The palette has eight colours that colour-blind people can distinguish. Further factions get them
   * again, lighter or darker.
   * @param {string[]} colours #rrggbb
   * @returns {Colour[]}
   */
  factionColours(colours) {
    return colours.map((colour, row) => {
      const plain = parseColour(colour);
      const turn = Math.floor(row / PALETTE_SIZE) % 3;
      if (turn === 0) return plain;
      return turn === 1 ? blend(plain, [255, 255, 255], 0.45) : blend(plain, [0, 0, 0], 0.28);
    });
  }
}

/** @param {string} colour @returns {Colour} */
export function parseColour(colour) {
  const [red, green, blue] = [1, 3, 5].map((start) => Number.parseInt(colour.slice(start, start + 2), 16));
  return [red, green, blue];
}

/** @param {Colour} colour @param {Colour} other @param {number} share of the other, 0 to 1 @returns {Colour} */
export function blend([red, green, blue], other, share) {
  const mix = (/** @type {number} */ from, /** @type {number} */ to) => Math.round(from + (to - from) * share);
  return [mix(red, other[0]), mix(green, other[1]), mix(blue, other[2])];
}

/** @param {Colour} colour @param {number} [opacity] */
export function cssColour([red, green, blue], opacity = 1) {
  return opacity === 1 ? `rgb(${red},${green},${blue})` : `rgba(${red},${green},${blue},${opacity})`;
}
