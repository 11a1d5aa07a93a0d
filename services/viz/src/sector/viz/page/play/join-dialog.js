/** The dialog in which a person enters a faction and a token to join a sim. */

import { ApiError, factionsOfToken, OrderApi } from "../net/order-api.js";
import { byId, setText } from "../ui/dom.js";

export class JoinDialog {
  /** @param {string} apiUrl @param {(faction: string, token: string) => Promise<void>} onSubmit */
  constructor(apiUrl, onSubmit) {
    this.apiUrl = apiUrl;
    this.dialog = /** @type {HTMLDialogElement} */ (byId("play"));
    this.faction = /** @type {HTMLInputElement} */ (byId("play-faction"));
    this.token = /** @type {HTMLInputElement} */ (byId("play-token"));
    this.token.addEventListener("input", () => this.#suggestFaction());
    byId("play-cancel").addEventListener("click", () => this.dialog.close());
    // Enter in a field clicks this button too, because it is the only submit button of the form.
    const confirm = /** @type {HTMLButtonElement} */ (byId("play-go"));
    confirm.addEventListener("click", async (event) => {
      event.preventDefault();
      confirm.disabled = true;
      await onSubmit(this.faction.value.trim(), this.token.value.trim()).finally(() => (confirm.disabled = false));
    });
  }

  /**
   * Open the dialog. It asks for a token only if the API requires one.
   * @param {string} sim
   */
  async open(sim) {
    this.showError("");
    this.dialog.showModal();
    try {
      const isOpen = await new OrderApi(this.apiUrl, sim, "").allowsAnonymousOrders();
      byId("play-token-label").hidden = isOpen;
      setText(byId("play-about"), isOpen ? "This world is open: enter a new name, or continue as a faction of the world." : "A token allows the orders of its factions.");
    } catch (error) {
      this.showError(error instanceof ApiError ? error.message : String(error));
    }
  }

  /** Close the dialog, and forget the token. */
  close() {
    this.dialog.close();
    this.token.value = "";
  }

  /** @param {string} message "" removes the error */
  showError(message) {
    setText(byId("play-error"), message);
  }

  #suggestFaction() {
    const [faction] = factionsOfToken(this.token.value.trim());
    if (faction) this.faction.value = faction;
  }
}
