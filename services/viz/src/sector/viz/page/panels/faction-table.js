/** The table of factions: systems, ships, supply, and the recent trend of ships. */

import { byId, createElement, setText } from "../ui/dom.js";
import { formatShort, formatNumber } from "../ui/format.js";
import { cssColour } from "../ui/theme.js";

/** @typedef {import("../net/history.js").FactionTotals} FactionTotals */
/** @typedef {import("../world/world.js").World} World */

const MAX_ROWS = 40;
const TREND_POINTS = 60;
const [TREND_WIDTH, TREND_HEIGHT] = [46, 16];

export class FactionTable {
  /** @param {import("../ui/theme.js").Theme} theme @param {(faction: string) => void} onPick */
  constructor(theme, onPick) {
    this.theme = theme;
    this.onPick = onPick;
    this.body = byId("factions");
    this.more = byId("more-factions");
    /** @type {Map<string, HTMLTableRowElement>} */
    this.rows = new Map();
  }

  /** @param {World} world @param {FactionTotals} now @param {FactionTotals[]} history @param {string} player */
  show(world, now, history, player) {
    const colours = this.theme.factionColours(world.colours);
    const order = world.factions.map((_, row) => row).sort((a, b) => world.alive[b] - world.alive[a] || now.ships[b] - now.ships[a]);
    const recent = history.slice(-TREND_POINTS);
    const visible = order.slice(0, MAX_ROWS);
    const rows = visible.map((faction) => {
      const id = world.factions[faction];
      const row = this.rows.get(id) ?? this.#createRow(id);
      row.className = [world.alive[faction] ? "" : "out", id === player ? "own" : ""].join(" ").trim();
      row.style.setProperty("--colour", cssColour(colours[faction]));
      const cells = /** @type {HTMLElement[]} */ ([...row.children]);
      const values = [now.systems[faction], now.ships[faction], now.supply[faction]];
      values.forEach((value, column) => {
        setText(cells[column + 1], formatShort(value));
        cells[column + 1].title = formatNumber(value);
      });
      this.#drawTrend(cells[4], recent.map((totals) => totals.ships[faction] ?? 0));
      return row;
    });
    if (rows.some((row, index) => this.body.children[index] !== row) || this.body.children.length !== rows.length) this.body.replaceChildren(...rows);
    this.more.hidden = order.length <= MAX_ROWS;
    setText(this.more, `and ${order.length - MAX_ROWS} more`);
  }

  /** @param {string} id */
  #createRow(id) {
    const name = createElement("th", { scope: "row" }, createElement("button", { class: "faction", click: () => this.onPick(id) }, id));
    const row = createElement("tr", {}, name, createElement("td"), createElement("td"), createElement("td"), createElement("td", { class: "trend" }));
    this.rows.set(id, row);
    return row;
  }

  /** @param {HTMLElement} cell @param {number[]} values */
  #drawTrend(cell, values) {
    if (values.length < 2) return;
    const [min, max] = [Math.min(...values), Math.max(...values)];
    const points = values.map((value, index) => {
      const y = TREND_HEIGHT - 2 - ((value - min) / Math.max(max - min, 1)) * (TREND_HEIGHT - 4);
      return `${((index / (values.length - 1)) * TREND_WIDTH).toFixed(1)},${y.toFixed(1)}`;
    });
    let line = cell.querySelector("polyline");
    if (!line) {
      const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
      svg.setAttribute("viewBox", `0 0 ${TREND_WIDTH} ${TREND_HEIGHT}`);
      svg.setAttribute("role", "img");
      line = document.createElementNS("http://www.w3.org/2000/svg", "polyline");
      svg.append(line);
      cell.append(svg);
    }
    line.setAttribute("points", points.join(" "));
    const change = values[values.length - 1] - values[0];
    line.parentElement?.setAttribute("aria-label", `${change < 0 ? "" : "+"}${formatNumber(change)} ships in ${values.length} steps`);
  }
}
