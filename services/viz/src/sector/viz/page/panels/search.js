/** Search by name: systems and factions. It follows the ARIA pattern of a combobox with a list. */

import { byId, createElement } from "../ui/dom.js";

/** @typedef {import("../time/playback.js").Playback} Playback */
/** @typedef {{title: string, about: string, go: () => void}} SearchResult */

const MAX_RESULTS = 8;

export class Search {
  /** @param {Playback} playback @param {{system: (row: number) => void, faction: (id: string) => void}} handlers */
  constructor(playback, handlers) {
    this.playback = playback;
    this.handlers = handlers;
    this.input = /** @type {HTMLInputElement} */ (byId("search"));
    this.list = byId("search-results");
    /** @type {SearchResult[]} */
    this.results = [];
    this.activeIndex = 0;
    this.input.addEventListener("input", () => this.#update());
    this.input.addEventListener("keydown", (event) => this.#onKey(event));
    this.input.addEventListener("blur", () => this.#close());
    document.addEventListener("keydown", (event) => {
      if (event.key !== "/" || event.ctrlKey || (event.target instanceof HTMLElement && event.target.matches("input, select, textarea"))) return;
      event.preventDefault();
      this.input.focus();
    });
  }

  /** @param {string} text @returns {SearchResult[]} */
  #match(text) {
    const { world } = this.playback;
    const query = text.trim().toLowerCase();
    if (!world || !query) return [];
    /** @type {SearchResult[][]} names that begin with the query, and names that contain it */
    const ranks = [[], []];
    const addMatch = (/** @type {string} */ name, /** @type {string} */ id, /** @type {string} */ about, /** @type {() => void} */ go) => {
      const index = name.toLowerCase().indexOf(query);
      if (index < 0 && id.toLowerCase() !== query) return;
      ranks[index === 0 || id.toLowerCase() === query ? 0 : 1].push({ title: name, about, go });
    };
    for (const faction of world.factions) addMatch(faction, "", "faction", () => this.handlers.faction(faction));
    const { names } = world.map;
    for (let row = 0; row < names.length && ranks[0].length < MAX_RESULTS; row++) {
      const owner = world.owner[row];
      addMatch(names[row], `S${row}`, owner < 0 ? "free" : world.factions[owner], () => this.handlers.system(row));
    }
    return ranks.flat().slice(0, MAX_RESULTS);
  }

  #update() {
    this.results = this.#match(this.input.value);
    this.activeIndex = 0;
    this.list.replaceChildren(
      ...this.results.map(({ title, about }, index) => createElement("li", { role: "option", id: `search-result-${index}`, "aria-selected": String(index === 0), mousedown: (event) => this.#choose(event, index) }, title, createElement("small", {}, ` ${about}`))),
    );
    this.#setOpen(this.results.length > 0);
  }

  /** @param {boolean} open */
  #setOpen(open) {
    this.list.hidden = !open;
    this.input.setAttribute("aria-expanded", String(open));
    if (open) this.input.setAttribute("aria-activedescendant", `search-result-${this.activeIndex}`);
    else this.input.removeAttribute("aria-activedescendant");
  }

  /** @param {Event} event @param {number} index */
  #choose(event, index) {
    event.preventDefault();
    const result = this.results[index];
    if (!result) return;
    this.input.value = "";
    this.#close();
    this.input.blur();
    result.go();
  }

  #close() {
    this.results = [];
    this.#setOpen(false);
  }

  /** @param {KeyboardEvent} event */
  #onKey(event) {
    if (event.key === "Enter") this.#choose(event, this.activeIndex);
    else if (event.key === "Escape") {
      this.input.value = "";
      this.#close();
    } else if ((event.key === "ArrowDown" || event.key === "ArrowUp") && this.results.length) {
      event.preventDefault();
      this.activeIndex = (this.activeIndex + (event.key === "ArrowDown" ? 1 : -1) + this.results.length) % this.results.length;
      [...this.list.children].forEach((item, index) => item.setAttribute("aria-selected", String(index === this.activeIndex)));
      this.#setOpen(true);
    }
  }
}
