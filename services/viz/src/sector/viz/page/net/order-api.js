/** The API, as a player speaks to it: orders, and what became of them. */

/** @typedef {{id: string, status: "pending" | "applied" | "rejected", tick?: number, reason?: string, detail?: string}} Outcome */
/** @typedef {{type: string, faction: string | null, [field: string]: string | number | null}} Order */

const TRIES = 4;
const WAIT = "10s";

/** The API refused. `status`: that of HTTP, 0 where it cannot be reached. */
export class ApiError extends Error {
  /** @param {number} status @param {string} message */
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

export class Api {
  /** @param {string} url @param {string} sim @param {string} token "" where none is needed */
  constructor(url, sim, token) {
    this.url = new URL(`${url.replace(/\/$/, "")}/`, location.href);
    this.sim = sim;
    this.token = token;
  }

  /**
   * Ask; an answer that never came is asked for again.
   * @param {string} path
   * @param {{method?: string, body?: string, headers?: Record<string, string>}} [options]
   */
  async #ask(path, { method = "GET", body, headers = {} } = {}) {
    const told = { ...headers, ...(this.token ? { authorization: `Bearer ${this.token}` } : {}), ...(body ? { "content-type": "application/json" } : {}) };
    for (let attempt = 1; ; attempt++) {
      try {
        const answer = await fetch(new URL(path, this.url), { method, body, headers: told });
        if (answer.ok || answer.status === 422 || attempt === TRIES || (answer.status !== 429 && answer.status < 500)) return answer;
        await pause(Math.min(Number(answer.headers.get("retry-after")) || 0.3 * attempt, 5));
      } catch (error) {
        if (attempt === TRIES) throw new ApiError(0, `The API at ${this.url.href} cannot be reached: ${error instanceof Error ? error.message : error}`);
        await pause(0.3 * attempt);
      }
    }
  }

  /** Say whether it takes orders without a token: its description names no security scheme for them then. */
  async isOpen() {
    const description = await (await this.#ask("openapi.json")).json();
    return !description.paths["/orders"].post.security;
  }

  /** What was chosen when the sim was founded: what orders cost. */
  async config() {
    const answer = await this.#ask(`sims/${this.sim}`);
    return answer.ok ? (await answer.json()).config : null;
  }

  /**
   * Send an order; sent again, it is carried out once.
   * @param {Order} order
   * @returns {Promise<string>} its id
   */
  async send(order) {
    const headers = { "idempotency-key": once() };
    const answer = await this.#ask(`sims/${this.sim}/orders`, { method: "POST", body: JSON.stringify(order), headers });
    const said = await answer.json().catch(() => ({}));
    if (answer.status !== 202) throw new ApiError(answer.status, said.detail ?? said.title ?? `${answer.status} ${answer.statusText}`);
    return said.id;
  }

  /**
   * Wait until the world has come to an order.
   * @param {string} id
   * @returns {Promise<Outcome>}
   */
  async outcome(id) {
    for (;;) {
      const answer = await this.#ask(`sims/${this.sim}/orders/${id}?wait=${WAIT}`);
      const said = await answer.json().catch(() => ({}));
      if (!answer.ok) throw new ApiError(answer.status, said.detail ?? `${answer.status} ${answer.statusText}`);
      if (said.status !== "pending") return said;
    }
  }
}

/** @param {number} seconds */
function pause(seconds) {
  return new Promise((done) => setTimeout(done, seconds * 1000));
}

/** A key that nobody else has; `crypto.randomUUID` is for secure pages only. */
function once() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/**
 * Return which factions a token is for, as far as it says so; it is the API that checks it.
 * @param {string} token
 * @returns {string[]}
 */
export function factionsOf(token) {
  try {
    const claims = JSON.parse(atob(token.split(".")[1].replaceAll("-", "+").replaceAll("_", "/")));
    return [claims.faction ?? []].flat().filter((/** @type {string} */ faction) => faction !== "*");
  } catch {
    return [];
  }
}
