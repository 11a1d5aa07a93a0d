/** The player: who plays from this page, and the orders they gave. */

import { OrderApi, ApiError, factionsOfToken } from "../net/order-api.js";
import { byId, createElement, createFactionLabel, setText } from "../ui/dom.js";
import { Emitter } from "../core/emitter.js";
import { PageStorage } from "../core/storage.js";
import { cssColour } from "../ui/theme.js";

/** @typedef {import("../net/order-api.js").Order} Order */
/** @typedef {import("../time/playback.js").Playback} Playback */
/** @typedef {import("../ui/theme.js").Theme} Theme */

const KEPT = "sector.player.";
const MOST_ORDERS = 60;

/**
 * `change`: somebody else plays, or nobody.
 * @extends {Emitter<{change: undefined}>}
 */
export class Player extends Emitter {
  /** @param {string} apiUrl "" where one cannot play @param {Playback} playback @param {Theme} theme */
  constructor(apiUrl, playback, theme) {
    super();
    this.apiUrl = apiUrl;
    this.playback = playback;
    this.theme = theme;
    this.faction = "";
    this.storage = new PageStorage("sessionStorage");
    /** @type {OrderApi | null} */
    this.api = null;
    /** @type {Record<string, number> | null} what things cost */
    this.config = null;
    this.dialog = /** @type {HTMLDialogElement} */ (byId("play"));
    this.name = /** @type {HTMLInputElement} */ (byId("play-faction"));
    this.token = /** @type {HTMLInputElement} */ (byId("play-token"));
    this.button = byId("play-open");
    if (!apiUrl) return;
    this.button.hidden = false;
    this.button.addEventListener("click", () => (this.api ? this.leave() : this.#ask()));
    this.token.addEventListener("input", () => this.#suggest());
    byId("play-cancel").addEventListener("click", () => this.dialog.close());
    // Enter in a field clicks it too: it is the only button of the form that submits.
    const go = /** @type {HTMLButtonElement} */ (byId("play-go"));
    go.addEventListener("click", async (event) => {
      event.preventDefault();
      go.disabled = true;
      await this.#enter(this.name.value.trim(), this.token.value.trim()).finally(() => (go.disabled = false));
    });
  }

  /** The row of one's own faction among those of the world; -1 where it is not in. */
  get row() {
    return this.faction && this.playback.world ? this.playback.world.factions.indexOf(this.faction) : -1;
  }

  /** Go on as who played this sim in this tab before. */
  resume() {
    const session = readSession(this.storage.read(KEPT + this.playback.sim));
    if (this.apiUrl && session) this.#enter(session.faction, session.token);
  }

  async #ask() {
    setText(byId("play-fault"), "");
    this.dialog.showModal();
    try {
      const open = await new OrderApi(this.apiUrl, this.playback.sim, "").allowsAnonymousOrders();
      byId("play-token-label").hidden = open;
      setText(byId("play-about"), open ? "This world is open: take any name. Who is in it already can be played on." : "A token says for which faction you may order.");
    } catch (error) {
      setText(byId("play-fault"), error instanceof ApiError ? error.message : String(error));
    }
  }

  #suggest() {
    const [faction] = factionsOfToken(this.token.value.trim());
    if (faction) this.name.value = faction;
  }

  /** @param {string} faction @param {string} token */
  async #enter(faction, token) {
    if (!faction) {
      setText(byId("play-fault"), "A faction needs a name.");
      return;
    }
    const api = new OrderApi(this.apiUrl, this.playback.sim, token);
    this.api = api;
    this.faction = faction;
    const joined = this.row >= 0 || (await this.give({ type: "join", faction }));
    // Another sim may have been chosen meanwhile.
    if (this.api !== api) return;
    if (!joined) {
      this.api = null;
      this.faction = "";
      return;
    }
    this.storage.write(KEPT + api.sim, JSON.stringify({ faction, token }));
    this.dialog.close();
    this.token.value = "";
    setText(this.button, "Leave");
    const config = await api.config().catch(() => null);
    if (this.api !== api) return;
    this.config = config;
    this.#changed();
  }

  /** Play no more in this sim. */
  leave() {
    if (this.api) this.storage.remove(KEPT + this.api.sim);
    this.rest();
  }

  /** Play no more until one comes back to this sim. */
  rest() {
    this.api = null;
    this.faction = "";
    this.config = null;
    setText(this.button, "Play");
    this.#changed();
  }

  #changed() {
    byId("orders-panel").hidden = !this.api;
    const tab = /** @type {HTMLElement} */ (document.querySelector("[data-panel=orders-panel]"));
    tab.hidden = !this.api;
    this.emit("change", undefined);
  }

  /** Say who plays, in the colour that they have. */
  show() {
    if (!this.api || !this.playback.world) return;
    const colour = this.row < 0 ? "transparent" : cssColour(this.theme.factionColours(this.playback.world.colours)[this.row]);
    const state = `${this.faction} ${colour}`;
    if (byId("player").dataset.state === state) return;
    byId("player").dataset.state = state;
    byId("player").replaceChildren("You play ", createFactionLabel(this.faction, colour), this.row < 0 ? " (about to enter)" : "");
  }

  /**
   * Give an order, and show what becomes of it; says whether it was taken.
   * @param {Order} order
   */
  async give(order) {
    const { api } = this;
    if (!api) return false;
    const state = createElement("span", { class: "outcome" }, "sending …");
    const item = createElement("li", { "data-status": "sending" }, this.#words(order), " ", state);
    const list = byId("orders");
    list.prepend(item);
    while (list.children.length > MOST_ORDERS) list.lastElementChild?.remove();
    const tell = (/** @type {string} */ status, /** @type {string} */ text) => {
      item.dataset.status = status;
      setText(state, text);
    };
    try {
      const id = await api.send(order);
      tell("pending", "pending");
      this.#follow(api, id, tell);
      return true;
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      tell("refused", `refused: ${message}`);
      setText(byId("play-fault"), message);
      return false;
    }
  }

  /** @param {OrderApi} api @param {string} id @param {(status: string, text: string) => void} tell */
  async #follow(api, id, tell) {
    try {
      const outcome = await api.waitForResult(id);
      if (outcome.status === "applied") tell("applied", `applied in tick ${outcome.tick}`);
      else tell("rejected", `rejected: ${outcome.detail || String(outcome.reason).replaceAll("_", " ")}`);
    } catch (error) {
      tell("unknown", `it is in the log; what became of it is not known: ${error instanceof Error ? error.message : error}`);
    }
  }

  /** @param {Order} order */
  #words(order) {
    const name = (/** @type {string | number | null} */ id) => this.playback.world?.map.names[Number(String(id).slice(1))] ?? String(id);
    /** @type {Record<string, string>} */
    const words = {
      join: `Enter as ${order.faction}`,
      move_fleet: `Send ${order.ships} from ${name(order.system)} to ${name(order.target)}`,
      set_owner: `Claim ${name(order.system)}`,
      add_fleet: `Muster ${order.ships} at ${name(order.system)}`,
      note: `Note “${order.text}”`,
    };
    return words[order.type] ?? order.type;
  }
}

/**
 * Return the session that was stored; null where it cannot be read.
 * @param {string | null} text
 * @returns {{faction: string, token: string} | null}
 */
function readSession(text) {
  try {
    const { faction, token } = JSON.parse(text ?? "null") ?? {};
    return typeof faction === "string" && typeof token === "string" ? { faction, token } : null;
  } catch {
    return null;
  }
}
