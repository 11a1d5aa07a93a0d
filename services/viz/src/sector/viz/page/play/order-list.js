/** The list of the orders sent from this page, each with its result. */

import { byId, createElement, setText } from "../ui/dom.js";

/** @typedef {import("../net/order-api.js").OrderApi} OrderApi */
/** @typedef {import("../net/order-api.js").Order} Order */
/** @typedef {import("../time/playback.js").Playback} Playback */
/** @typedef {(status: string, text: string) => void} SetStatus */

const MAX_ORDERS = 60;

export class OrderList {
  /** @param {Playback} playback */
  constructor(playback) {
    this.playback = playback;
    this.list = byId("orders");
  }

  /**
   * Send an order and list it.
   * @param {OrderApi} api
   * @param {Order} order
   * @returns {Promise<string>} the error if the API did not accept the order, or ""
   */
  async submit(api, order) {
    const setStatus = this.#add(order);
    try {
      const id = await api.send(order);
      setStatus("pending", "pending");
      this.#trackResult(api, id, setStatus);
      return "";
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      setStatus("refused", `refused: ${message}`);
      return message;
    }
  }

  /** @param {Order} order @returns {SetStatus} */
  #add(order) {
    const result = createElement("span", { class: "outcome" }, "sending …");
    const item = createElement("li", { "data-status": "sending" }, this.#describe(order), " ", result);
    this.list.prepend(item);
    while (this.list.children.length > MAX_ORDERS) this.list.lastElementChild?.remove();
    return (status, text) => {
      item.dataset.status = status;
      setText(result, text);
    };
  }

  /** @param {OrderApi} api @param {string} id @param {SetStatus} setStatus */
  async #trackResult(api, id, setStatus) {
    try {
      const result = await api.waitForResult(id);
      if (result.status === "applied") setStatus("applied", `applied in tick ${result.tick}`);
      else setStatus("rejected", `rejected: ${result.detail || String(result.reason).replaceAll("_", " ")}`);
    } catch (error) {
      setStatus("unknown", `the order is in the log, but its result could not be read: ${error instanceof Error ? error.message : error}`);
    }
  }

  /** @param {Order} order */
  #describe(order) {
    const name = (/** @type {string | number | null} */ id) => this.playback.world?.map.names[Number(String(id).slice(1))] ?? String(id);
    /** @type {Record<string, string>} */
    const texts = {
      join: `Enter as ${order.faction}`,
      move_fleet: `Send ${order.ships} from ${name(order.system)} to ${name(order.target)}`,
      set_owner: `Claim ${name(order.system)}`,
      add_fleet: `Muster ${order.ships} at ${name(order.system)}`,
      note: `Note “${order.text}”`,
    };
    return texts[order.type] ?? order.type;
  }
}
