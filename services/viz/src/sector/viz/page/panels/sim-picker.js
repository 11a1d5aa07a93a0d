/** The sim picker: which sims there are, and which one is watched. */

import { fetchSims } from "../net/history.js";
import { byId, make } from "../ui/dom.js";

/** @typedef {import("../net/history.js").SimSummary} SimSummary */

export class SimPicker {
  /** @param {(sim: string) => void} picked */
  constructor(picked) {
    this.select = /** @type {HTMLSelectElement} */ (byId("sims"));
    this.told = "";
    this.sim = "";
    this.select.addEventListener("change", () => picked(this.select.value));
    this.select.addEventListener("pointerdown", () => this.refresh());
    this.select.addEventListener("focus", () => this.refresh());
  }

  /** @param {string} sim */
  show(sim) {
    this.sim = sim;
    if (![...this.select.options].some(({ value }) => value === sim)) this.select.append(make("option", { value: sim }, sim));
    this.select.value = sim;
  }

  /** Ask which there are; where that cannot be had, what was known stays. */
  async refresh() {
    /** @type {SimSummary[]} */
    let sims;
    try {
      sims = await fetchSims();
    } catch {
      return;
    }
    const told = sims.map(({ id, status }) => `${id} ${status}`).join();
    if (told === this.told) return;
    this.told = told;
    this.select.replaceChildren(...sims.map(({ id, status }) => make("option", { value: id }, status === "finished" ? `${id} (finished)` : id)));
    this.show(this.sim);
  }
}
