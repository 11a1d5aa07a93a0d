/** Search by name: systems and factions. It follows the ARIA pattern of a combobox with a list. */

import { byId, make } from "../ui/dom.js";

/** @typedef {import("../time/playback.js").Playback} Playback */
/** @typedef {{title: string, about: string, go: () => void}} Found */

const MOST = 8;

export class Search {
  /** @param {Playback} playback @param {{system: (row: number) => void, faction: (id: string) => void}} picked */
  constructor(playback, picked) {
    this.playback = playback;
    this.picked = picked;
    this.input = /** @type {HTMLInputElement} */ (byId("search"));
    this.list = byId("found");
    /** @type {Found[]} */
    this.found = [];
    this.at = 0;
    this.input.addEventListener("input", () => this.#look());
    this.input.addEventListener("keydown", (event) => this.#onKey(event));
    this.input.addEventListener("blur", () => this.#close());
    document.addEventListener("keydown", (event) => {
      if (event.key !== "/" || event.ctrlKey || (event.target instanceof HTMLElement && event.target.matches("input, select, textarea"))) return;
      event.preventDefault();
      this.input.focus();
    });
  }

  /** @param {string} text @returns {Found[]} */
  #match(text) {
    const { world } = this.playback;
    const sought = text.trim().toLowerCase();
    if (!world || !sought) return [];
    /** @type {Found[][]} those that begin with it before those that contain it */
    const ranks = [[], []];
    const consider = (/** @type {string} */ name, /** @type {string} */ id, /** @type {string} */ about, /** @type {() => void} */ go) => {
      const at = name.toLowerCase().indexOf(sought);
      if (at < 0 && id.toLowerCase() !== sought) return;
      ranks[at === 0 || id.toLowerCase() === sought ? 0 : 1].push({ title: name, about, go });
    };
    for (const faction of world.factions) consider(faction, "", "faction", () => this.picked.faction(faction));
    const { names } = world.map;
    for (let row = 0; row < names.length && ranks[0].length < MOST; row++) {
      const owner = world.owner[row];
      consider(names[row], `S${row}`, owner < 0 ? "free" : world.factions[owner], () => this.picked.system(row));
    }
    return ranks.flat().slice(0, MOST);
  }

  #look() {
    this.found = this.#match(this.input.value);
    this.at = 0;
    this.list.replaceChildren(
      ...this.found.map(({ title, about }, at) => make("li", { role: "option", id: `found-${at}`, "aria-selected": String(at === 0), mousedown: (event) => this.#take(event, at) }, title, make("small", {}, ` ${about}`))),
    );
    this.#reveal(this.found.length > 0);
  }

  /** @param {boolean} open */
  #reveal(open) {
    this.list.hidden = !open;
    this.input.setAttribute("aria-expanded", String(open));
    if (open) this.input.setAttribute("aria-activedescendant", `found-${this.at}`);
    else this.input.removeAttribute("aria-activedescendant");
  }

  /** @param {Event} event @param {number} at */
  #take(event, at) {
    event.preventDefault();
    const found = this.found[at];
    if (!found) return;
    this.input.value = "";
    this.#close();
    this.input.blur();
    found.go();
  }

  #close() {
    this.found = [];
    this.#reveal(false);
  }

  /** @param {KeyboardEvent} event */
  #onKey(event) {
    if (event.key === "Enter") this.#take(event, this.at);
    else if (event.key === "Escape") {
      this.input.value = "";
      this.#close();
    } else if ((event.key === "ArrowDown" || event.key === "ArrowUp") && this.found.length) {
      event.preventDefault();
      this.at = (this.at + (event.key === "ArrowDown" ? 1 : -1) + this.found.length) % this.found.length;
      [...this.list.children].forEach((item, at) => item.setAttribute("aria-selected", String(at === this.at)));
      this.#reveal(true);
    }
  }
}
