/** The sim picker: lists the sims, and selects the one to watch. */

import { fetchSims } from "../net/history.js";
import { byId, createElement } from "../ui/dom.js";

/** @typedef {import("../net/history.js").SimSummary} SimSummary */

export class SimPicker {
  /** @param {(sim: string) => void} onPick */
  constructor(onPick) {
    this.select = /** @type {HTMLSelectElement} */ (byId("sims"));
    this.listKey = "";
    this.sim = "";
    this.select.addEventListener("change", () => onPick(this.select.value));
    this.select.addEventListener("pointerdown", () => this.refresh());
    this.select.addEventListener("focus", () => this.refresh());
  }

  /** @param {string} sim */
  show(sim) {
    this.sim = sim;
    if (![...this.select.options].some(({ value }) => value === sim)) this.select.append(createElement("option", { value: sim }, sim));
    this.select.value = sim;
  }

  /** Load the list of sims. If that fails, the current list stays. */
  async refresh() {
    /** @type {SimSummary[]} */
    let sims;
    try {
      sims = await fetchSims();
    } catch {
      return;
    }
    const listKey = sims.map(({ id, status }) => `${id} ${status}`).join();
    if (listKey === this.listKey) return;
    this.listKey = listKey;
    this.select.replaceChildren(...sims.map(({ id, status }) => createElement("option", { value: id }, status === "finished" ? `${id} (finished)` : id)));
    this.show(this.sim);
  }
}
