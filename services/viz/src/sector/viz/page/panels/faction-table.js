/** The table of factions: systems, ships, supply, and how they did lately. */

import { byId, make, setText } from "../ui/dom.js";
import { short, whole } from "../ui/format.js";
import { css } from "../ui/theme.js";

/** @typedef {import("../net/history.js").FactionTotals} FactionTotals */
/** @typedef {import("../world/world.js").World} World */

const MOST = 40;
const LATELY = 60;
const [WIDE, HIGH] = [46, 16];

export class FactionTable {
  /** @param {import("../ui/theme.js").Theme} theme @param {(faction: string) => void} picked */
  constructor(theme, picked) {
    this.theme = theme;
    this.picked = picked;
    this.body = byId("factions");
    this.more = byId("more-factions");
    /** @type {Map<string, HTMLTableRowElement>} */
    this.rows = new Map();
  }

  /** @param {World} world @param {FactionTotals} now @param {FactionTotals[]} history @param {string} player */
  show(world, now, history, player) {
    const colours = this.theme.factions(world.colours);
    const order = world.factions.map((_, row) => row).sort((a, b) => world.alive[b] - world.alive[a] || now.ships[b] - now.ships[a]);
    const lately = history.slice(-LATELY);
    const kept = order.slice(0, MOST);
    const rows = kept.map((at) => {
      const id = world.factions[at];
      const row = this.rows.get(id) ?? this.#row(id);
      row.className = [world.alive[at] ? "" : "out", id === player ? "own" : ""].join(" ").trim();
      row.style.setProperty("--colour", css(colours[at]));
      const cells = /** @type {HTMLElement[]} */ ([...row.children]);
      const values = [now.systems[at], now.ships[at], now.supply[at]];
      values.forEach((value, column) => {
        setText(cells[column + 1], short(value));
        cells[column + 1].title = whole(value);
      });
      this.#trend(cells[4], lately.map((totals) => totals.ships[at] ?? 0));
      return row;
    });
    if (rows.some((row, at) => this.body.children[at] !== row) || this.body.children.length !== rows.length) this.body.replaceChildren(...rows);
    this.more.hidden = order.length <= MOST;
    setText(this.more, `and ${order.length - MOST} more`);
  }

  /** @param {string} id */
  #row(id) {
    const name = make("th", { scope: "row" }, make("button", { class: "faction", click: () => this.picked(id) }, id));
    const row = make("tr", {}, name, make("td"), make("td"), make("td"), make("td", { class: "trend" }));
    this.rows.set(id, row);
    return row;
  }

  /** @param {HTMLElement} cell @param {number[]} values */
  #trend(cell, values) {
    if (values.length < 2) return;
    const [least, most] = [Math.min(...values), Math.max(...values)];
    const points = values.map((value, at) => {
      const y = HIGH - 2 - ((value - least) / Math.max(most - least, 1)) * (HIGH - 4);
      return `${((at / (values.length - 1)) * WIDE).toFixed(1)},${y.toFixed(1)}`;
    });
    let line = cell.querySelector("polyline");
    if (!line) {
      const picture = document.createElementNS("http://www.w3.org/2000/svg", "svg");
      picture.setAttribute("viewBox", `0 0 ${WIDE} ${HIGH}`);
      picture.setAttribute("role", "img");
      line = document.createElementNS("http://www.w3.org/2000/svg", "polyline");
      picture.append(line);
      cell.append(picture);
    }
    line.setAttribute("points", points.join(" "));
    const change = values[values.length - 1] - values[0];
    line.parentElement?.setAttribute("aria-label", `${change < 0 ? "" : "+"}${whole(change)} ships in ${values.length} steps`);
  }
}
