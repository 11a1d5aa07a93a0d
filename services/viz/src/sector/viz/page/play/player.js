/** The player session: which faction this page plays, and the orders it submits. */

import { Emitter } from "../core/emitter.js";
import { PageStorage } from "../core/storage.js";
import { OrderApi } from "../net/order-api.js";
import { byId, createFactionLabel, setText } from "../ui/dom.js";
import { cssColour } from "../ui/theme.js";
import { JoinDialog } from "./join-dialog.js";
import { OrderList } from "./order-list.js";

/** @typedef {import("../net/order-api.js").Order} Order */
/** @typedef {import("../time/playback.js").Playback} Playback */
/** @typedef {import("../ui/theme.js").Theme} Theme */

const STORAGE_PREFIX = "sector.player.";

/**
 * `change`: the session began or ended.
 * @extends {Emitter<{change: undefined}>}
 */
export class Player extends Emitter {
  /** @param {string} apiUrl "" if there is no API @param {Playback} playback @param {Theme} theme */
  constructor(apiUrl, playback, theme) {
    super();
    this.apiUrl = apiUrl;
    this.playback = playback;
    this.theme = theme;
    this.faction = "";
    this.storage = new PageStorage("sessionStorage");
    /** @type {OrderApi | null} */
    this.api = null;
    /** @type {Record<string, number> | null} the costs of the sim */
    this.config = null;
    this.dialog = new JoinDialog(apiUrl, (faction, token) => this.#join(faction, token));
    this.orders = new OrderList(playback);
    this.button = byId("play-open");
    if (!apiUrl) return;
    this.button.hidden = false;
    this.button.addEventListener("click", () => (this.api ? this.leave() : this.dialog.open(this.playback.sim)));
  }

  /** The row of the player's faction in the world; -1 if it has not joined. */
  get row() {
    return this.faction && this.playback.world ? this.playback.world.factions.indexOf(this.faction) : -1;
  }

  /** Whether the player can give orders now. The past cannot be changed. */
  get canOrder() {
    return this.row >= 0 && this.playback.isLive && this.playback.live?.status === "running";
  }

  /** Resume the session that this tab had in the sim. */
  resume() {
    const session = readSession(this.storage.read(STORAGE_PREFIX + this.playback.sim));
    if (this.apiUrl && session) this.#join(session.faction, session.token);
  }

  /** @param {string} faction @param {string} token */
  async #join(faction, token) {
    if (!faction) {
      this.dialog.showError("A faction needs a name.");
      return;
    }
    const api = new OrderApi(this.apiUrl, this.playback.sim, token);
    this.api = api;
    this.faction = faction;
    const isInGame = this.row >= 0 || (await this.submit({ type: "join", faction }));
    // The user may have switched to another sim in the meantime.
    if (this.api !== api) return;
    if (!isInGame) {
      this.api = null;
      this.faction = "";
      return;
    }
    this.storage.write(STORAGE_PREFIX + api.sim, JSON.stringify({ faction, token }));
    this.dialog.close();
    setText(this.button, "Leave");
    const config = await api.config().catch(() => null);
    if (this.api !== api) return;
    this.config = config;
    this.#update();
  }

  /** End the session in this sim. */
  leave() {
    if (this.api) this.storage.remove(STORAGE_PREFIX + this.api.sim);
    this.suspend();
  }

  /** Suspend the session until the user returns to this sim. */
  suspend() {
    this.api = null;
    this.faction = "";
    this.config = null;
    setText(this.button, "Play");
    this.#update();
  }

  #update() {
    byId("orders-panel").hidden = !this.api;
    const tab = /** @type {HTMLElement} */ (document.querySelector("[data-panel=orders-panel]"));
    tab.hidden = !this.api;
    this.emit("change", undefined);
  }

  /** Show the name of the faction in its colour. */
  show() {
    if (!this.api || !this.playback.world) return;
    const colour = this.row < 0 ? "transparent" : cssColour(this.theme.factionColours(this.playback.world.colours)[this.row]);
    const state = `${this.faction} ${colour}`;
    if (byId("player").dataset.state === state) return;
    byId("player").dataset.state = state;
    byId("player").replaceChildren("You play ", createFactionLabel(this.faction, colour), this.row < 0 ? " (about to enter)" : "");
  }

  /**
   * Submit an order. Returns whether the API accepted it.
   * @param {Order} order
   */
  async submit(order) {
    const { api } = this;
    if (!api) return false;
    const error = await this.orders.submit(api, order);
    if (error) this.dialog.showError(error);
    return !error;
  }

  /** @param {number} system @param {number} target @param {number} ships */
  sendShips(system, target, ships) {
    return this.submit({ type: "move_fleet", faction: this.faction, system: `S${system}`, target: `S${target}`, ships });
  }
}

/**
 * Return the session in storage, or null if it is invalid.
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
