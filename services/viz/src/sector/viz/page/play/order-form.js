/** The order forms of a system: send, muster, claim and note. */

import { createElement } from "../ui/dom.js";
import { formatNumber } from "../ui/format.js";

/** @typedef {import("../world/world.js").World} World */
/** @typedef {import("./drag-order.js").DragOrder} DragOrder */
/** @typedef {import("./player.js").Player} Player */

const FRACTIONS = [{ title: "¼", fraction: 0.25 }, { title: "½", fraction: 0.5 }, { title: "¾", fraction: 0.75 }, { title: "all", fraction: 1 }];

export class OrderForm {
  /** @param {Player} player @param {DragOrder} dragOrder whose fraction the form sets */
  constructor(player, dragOrder) {
    this.player = player;
    this.dragOrder = dragOrder;
  }

  /**
   * Create the forms for a system. Returns null if the player cannot give orders now.
   * @param {World} world
   * @param {number} system
   */
  create(world, system) {
    if (!this.player.canOrder) return null;
    const { row, faction, config } = this.player;
    const neighbours = world.map.neighbours(system);
    const id = `S${system}`;
    const noteForm = this.#createNoteForm(id);
    if (world.owner[system] === row) {
      return createElement("div", {}, this.#createFractionButtons(), this.#createSendForm(world, system), this.#createMusterForm(id), noteForm);
    }
    if (world.owner[system] >= 0 || !neighbours.some(({ to }) => world.owner[to] === row)) return createElement("div", {}, noteForm);
    const cost = config ? ` for ${formatNumber(config.claim_base + config.claim_per_ship * world.ships[system])} supply` : "";
    const claim = createElement("button", { class: "strong", click: () => this.player.submit({ type: "set_owner", faction, system: id }) }, `Claim${cost}`);
    return createElement("div", {}, claim, noteForm);
  }

  #createFractionButtons() {
    const buttons = FRACTIONS.map(({ title, fraction }) => {
      const button = createElement("button", { "aria-pressed": String(fraction === this.dragOrder.fraction) }, title);
      button.addEventListener("click", () => {
        this.dragOrder.fraction = fraction;
        for (const each of buttons) each.setAttribute("aria-pressed", String(each === button));
      });
      return button;
    });
    return createElement("div", { class: "row parts", role: "group", "aria-label": "Fraction of a garrison that a drag sends" }, createElement("span", { class: "muted" }, "A drag sends"), ...buttons);
  }

  /** @param {World} world @param {number} system */
  #createSendForm(world, system) {
    const targets = world.map.neighbours(system).map(({ to, length }) => createElement("option", { value: String(to) }, `${world.map.names[to]} (${length})`));
    const target = createElement("select", { "aria-label": "Where to" }, ...targets);
    const ships = createCountField("Ships to send", String(Math.max(Math.floor(world.ships[system] / 2), 1)));
    return createForm("Send", () => this.player.sendShips(system, Number(target.value), Number(ships.value)), ships, target);
  }

  /** @param {string} id */
  #createMusterForm(id) {
    const { faction, config } = this.player;
    const ships = createCountField("Ships to muster", "5");
    const cost = config ? `Muster, ${formatNumber(config.muster_cost)} supply each` : "Muster";
    return createForm(cost, () => this.player.submit({ type: "add_fleet", faction, system: id, ships: Number(ships.value) }), ships);
  }

  /** @param {string} id */
  #createNoteForm(id) {
    const text = createElement("input", { "aria-label": "Note for this system", placeholder: "Write a note", maxlength: "280", required: true });
    return createForm("Note", () => {
      this.player.submit({ type: "note", faction: this.player.faction, text: text.value, system: id });
      text.value = "";
    }, text);
  }
}

/** @param {string} label @param {string} value */
function createCountField(label, value) {
  return createElement("input", { type: "number", min: "1", step: "1", required: true, value, "aria-label": label });
}

/** @param {string} title @param {() => void} onSubmit @param {HTMLElement[]} fields */
function createForm(title, onSubmit, ...fields) {
  return createElement("form", { class: "row", submit: (/** @type {Event} */ event) => {
    event.preventDefault();
    onSubmit();
  } }, ...fields, createElement("button", {}, title));
}
