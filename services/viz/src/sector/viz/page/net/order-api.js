/** The client of the API: sends orders with retries, and waits for their results. */

/** @typedef {{id: string, status: "pending" | "applied" | "rejected", tick?: number, reason?: string, detail?: string}} OrderResult */
/** @typedef {{type: string, faction: string | null, [field: string]: string | number | null}} Order */

const MAX_ATTEMPTS = 4;
const LONG_POLL_WAIT = "10s";

/** An error of the API. `status` is the HTTP status, or 0 if the API is unreachable. */
export class ApiError extends Error {
  /** @param {number} status @param {string} message */
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

export class OrderApi {
  /** @param {string} url @param {string} sim @param {string} token "" if none is required */
  constructor(url, sim, token) {
    this.url = new URL(`${url.replace(/\/$/, "")}/`, location.href);
    this.sim = sim;
    this.token = token;
  }

  /**
   * Send a request. It is retried if there is no response, or if the API is busy or unavailable.
   * @param {string} path
   * @param {{method?: string, body?: string, headers?: Record<string, string>}} [options]
   */
  async #fetchWithRetry(path, { method = "GET", body, headers = {} } = {}) {
    const allHeaders = { ...headers, ...(this.token ? { authorization: `Bearer ${this.token}` } : {}), ...(body ? { "content-type": "application/json" } : {}) };
    for (let attempt = 1; ; attempt++) {
      try {
        const response = await fetch(new URL(path, this.url), { method, body, headers: allHeaders });
        if (response.ok || response.status === 422 || attempt === MAX_ATTEMPTS || (response.status !== 429 && response.status < 500)) return response;
        await sleep(Math.min(Number(response.headers.get("retry-after")) || 0.3 * attempt, 5));
      } catch (error) {
        if (attempt === MAX_ATTEMPTS) throw new ApiError(0, `The API at ${this.url.href} cannot be reached: ${error instanceof Error ? error.message : error}`);
        await sleep(0.3 * attempt);
      }
    }
  }

  /** Return whether the API accepts orders without a token. Its OpenAPI description then names no security scheme for them. */
  async allowsAnonymousOrders() {
    const description = await (await this.#fetchWithRetry("openapi.json")).json();
    return !description.paths["/orders"].post.security;
  }

  /** Return the config with which the sim was created, or null. It has the costs of orders. */
  async config() {
    const response = await this.#fetchWithRetry(`sims/${this.sim}`);
    return response.ok ? (await response.json()).config : null;
  }

  /**
   * Send an order. It takes effect once, even if a retry sends it again.
   * @param {Order} order
   * @returns {Promise<string>} its id
   */
  async send(order) {
    const headers = { "idempotency-key": idempotencyKey() };
    const response = await this.#fetchWithRetry(`sims/${this.sim}/orders`, { method: "POST", body: JSON.stringify(order), headers });
    const body = await response.json().catch(() => ({}));
    if (response.status !== 202) throw new ApiError(response.status, body.detail ?? body.title ?? `${response.status} ${response.statusText}`);
    return body.id;
  }

  /**
   * Wait until the order is applied or rejected.
   * @param {string} id
   * @returns {Promise<OrderResult>}
   */
  async waitForResult(id) {
    for (;;) {
      const response = await this.#fetchWithRetry(`sims/${this.sim}/orders/${id}?wait=${LONG_POLL_WAIT}`);
      const body = await response.json().catch(() => ({}));
      if (!response.ok) throw new ApiError(response.status, body.detail ?? `${response.status} ${response.statusText}`);
      if (body.status !== "pending") return body;
    }
  }
}

/** @param {number} seconds */
function sleep(seconds) {
  return new Promise((resolve) => setTimeout(resolve, seconds * 1000));
}

/** Return a unique key. `crypto.randomUUID` is not available on pages without HTTPS. */
function idempotencyKey() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/**
 * Return the factions that a token claims. Only the API verifies the token.
 * @param {string} token
 * @returns {string[]}
 */
export function factionsOfToken(token) {
  try {
    const claims = JSON.parse(atob(token.split(".")[1].replaceAll("-", "+").replaceAll("_", "/")));
    return [claims.faction ?? []].flat().filter((/** @type {string} */ faction) => faction !== "*");
  } catch {
    return [];
  }
}
