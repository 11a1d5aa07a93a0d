/**
 * `Client`: a client of the HTTP API, for one sim and with one token. It retries requests, and each order takes effect
 * once.
 */

import createClient from "openapi-fetch";
import type { Client as ApiClient } from "openapi-fetch";

import { ApiError } from "./errors.js";
import type {
  Event,
  EventPage,
  EventType,
  Gap,
  Order,
  OrderStatus,
  RequestedSim,
  SimConfig,
  SimDetails,
  SimPage,
  Snapshot,
} from "./models.js";
import { fetchWithRetry } from "./retry.js";
import type { Fetch } from "./retry.js";
import type { components, paths } from "./schema.js";
import { streamEvents } from "./stream.js";

export interface ClientOptions {
  /** The bearer token. Only writes need one. */
  readonly token?: string | undefined;
  /** The id of the sim. Default: the sim of the API. */
  readonly sim?: string | undefined;
  /** The timeout of one attempt of a request, in milliseconds. Default: 5,000. */
  readonly timeoutMs?: number | undefined;
  /** For how many milliseconds a request is retried. Default: 10,000. */
  readonly retryTimeoutMs?: number | undefined;
  /** A replacement for the global `fetch`. It must pass on its second argument, which contains the signal. */
  readonly fetch?: Fetch | undefined;
}

export interface RequestOptions {
  /** Aborts the request and its retries. */
  readonly signal?: AbortSignal | undefined;
}

export interface OrderOptions extends RequestOptions {
  /**
   * An idempotency key. A program that restarts passes the same key again, so that the order takes effect once.
   * Default: a random key.
   */
  readonly key?: string | undefined;
}

export interface EventFilter extends RequestOptions {
  /** The id of the event that precedes the first one. */
  readonly after?: string | undefined;
  /** Types of events to include. Default: all. */
  readonly types?: readonly EventType[] | undefined;
  /** Only events that concern this faction. */
  readonly faction?: string | undefined;
}

/**
 * A client of the API at `url`.
 *
 * Its methods throw ApiError if the API rejects the request. They throw UnavailableError if the API is unreachable for
 * `retryTimeoutMs`, and the reason of `signal` if that is aborted.
 */
export class Client {
  readonly #url: string;
  readonly #sim: string | undefined;
  readonly #fetch: Fetch;
  readonly #timeoutMs: number;
  readonly #retryTimeoutMs: number;
  readonly #simApi: ApiClient<paths>;
  readonly #rootApi: ApiClient<paths>;
  #newest: { readonly etag: string; readonly snapshot: Snapshot } | undefined;

  /** Throws TypeError if `url` or the token is invalid. */
  constructor(url: string, options: ClientOptions = {}) {
    const root = checkUrl(url);
    this.#sim = options.sim || undefined;
    this.#url = this.#sim ? `${root}/sims/${encodeURIComponent(this.#sim)}` : root;
    // The global fetch must not be called as a method of the client.
    this.#fetch = options.fetch ?? ((request, init) => globalThis.fetch(request, init));
    this.#timeoutMs = options.timeoutMs ?? 5_000;
    this.#retryTimeoutMs = options.retryTimeoutMs ?? 10_000;
    const headers = options.token ? { Authorization: `Bearer ${checkToken(options.token)}` } : {};
    // Each path of a sim exists below the root too, for the API's own sim: the types of both are the same.
    this.#simApi = createClient<paths>({ baseUrl: this.#url, headers });
    this.#rootApi = createClient<paths>({ baseUrl: root, headers });
  }

  /** Returns the snapshot of `tick`, or the newest one. The newest snapshot is the same object until it changes. */
  async snapshot({ tick, signal }: RequestOptions & { tick?: number | undefined } = {}): Promise<Snapshot> {
    if (tick !== undefined) {
      return asRows(await this.#simApi.GET("/snapshot", { params: { query: { tick } }, ...this.#via(signal) }));
    }
    const header = this.#newest ? { "If-None-Match": this.#newest.etag } : {};
    const result = await this.#simApi.GET("/snapshot", { params: { header }, ...this.#via(signal) });
    if (result.response.status === 304 && this.#newest) return this.#newest.snapshot;
    const snapshot = asRows(result);
    this.#newest = { etag: result.response.headers.get("etag") ?? "", snapshot };
    return snapshot;
  }

  /** Submits an order and returns its id. */
  async order(order: Order, options: OrderOptions = {}): Promise<string> {
    return (await this.#post<components["schemas"]["AcceptedOrder"]>(order, options)).id;
  }

  /** Submits up to 1,000 orders. Returns one item for each: its id, or the error that rejected it. */
  async orders(orders: readonly Order[], options: OrderOptions = {}): Promise<(string | ApiError)[]> {
    const { results } = await this.#post<components["schemas"]["Results"]>([...orders], options);
    return results.map(({ id, problem }) => (problem ? new ApiError(problem) : (id ?? "")));
  }

  /**
   * Returns the status of an order. `waitMs`: for how long the API waits until the order is applied or rejected, at
   * most 30,000.
   */
  async orderStatus(
    id: string,
    { waitMs = 0, signal }: RequestOptions & { waitMs?: number | undefined } = {},
  ): Promise<OrderStatus> {
    const query = waitMs ? { wait: `${(waitMs / 1000).toFixed(3)}s` } : {};
    const params = { path: { order_id: id }, query };
    return asData(await this.#simApi.GET("/orders/{order_id}", { params, ...this.#via(signal, waitMs) }));
  }

  /** Returns a page of at most `limit` events, oldest first. Default: 1,000. */
  async events({ limit = 1_000, signal, ...filter }: EventFilter & { limit?: number | undefined } = {}): Promise<EventPage> {
    const query = { after: "0-0", limit, ...toQuery(filter) };
    return asData(await this.#simApi.GET("/events", { params: { query }, ...this.#via(signal) }));
  }

  /**
   * Yields events as they happen, and a Gap where events are no longer stored. After a lost connection it resumes after
   * the last event.
   *
   * End it with `break`, or with `signal` while it waits for an event.
   */
  follow({ signal, after = "", ...filter }: EventFilter = {}): AsyncGenerator<Event | Gap> {
    const query = new URLSearchParams(toQuery(filter)).toString();
    return streamEvents(this.#fetch, `${this.#url}/events/stream${query && `?${query}`}`, {
      after,
      signal,
      timeoutMs: this.#timeoutMs,
      retryTimeoutMs: this.#retryTimeoutMs,
    });
  }

  /** Returns a page of at most `limit` sims, sorted by id, that follow the id `after`. */
  async sims({
    after,
    limit = 1_000,
    signal,
  }: RequestOptions & { after?: string | undefined; limit?: number | undefined } = {}): Promise<SimPage> {
    const query = { limit, ...(after !== undefined && { after }) };
    return asData(await this.#rootApi.GET("/sims", { params: { query }, ...this.#via(signal) }));
  }

  /**
   * Returns the config of a sim, its head, its tick length, and the range of ticks that are stored. Default: the sim of
   * this client.
   */
  async sim(id?: string, { signal }: RequestOptions = {}): Promise<SimDetails> {
    const sim_id = id ?? this.#sim ?? (await this.snapshot({ signal })).sim;
    return asData(await this.#rootApi.GET("/sims/{sim_id}", { params: { path: { sim_id } }, ...this.#via(signal) }));
  }

  /** Requests a new sim, which a worker that serves all sims creates. The token needs the scope `admin`. */
  async createSim(id: string, config: SimConfig = {}, { signal }: RequestOptions = {}): Promise<RequestedSim> {
    const params = { header: { "Idempotency-Key": randomKey() } };
    return asData(await this.#rootApi.POST("/sims", { params, body: { id, config }, ...this.#via(signal) }));
  }

  /** Requests a sim that begins with the state of this one, now or at `tick`. The token needs the scope `admin`. */
  async fork(newId: string, { tick, signal }: RequestOptions & { tick?: number | undefined } = {}): Promise<RequestedSim> {
    const query = tick === undefined ? {} : { tick };
    const params = { query, header: { "Idempotency-Key": randomKey() } };
    return asData(await this.#simApi.POST("/fork", { params, body: { id: newId }, ...this.#via(signal) }));
  }

  async #post<T>(body: Order | Order[], { key, signal }: OrderOptions): Promise<T> {
    const params = { header: { "Idempotency-Key": key ?? randomKey() } };
    return asData(await this.#simApi.POST("/orders", { params, body, ...this.#via(signal) })) as T;
  }

  /**
   * Returns the `fetch` of a request. `waitMs`: milliseconds that the API may take in addition to the usual timeouts.
   */
  #via(signal: AbortSignal | undefined, waitMs = 0): { fetch: (request: Request) => Promise<Response> } {
    const timeoutMs = this.#timeoutMs + waitMs;
    const retryTimeoutMs = this.#retryTimeoutMs + waitMs;
    return { fetch: fetchWithRetry(this.#fetch, { timeoutMs, retryTimeoutMs, signal }) };
  }
}

/** Returns the URL without slashes at its end. In a page it may be relative to that of the page. */
function checkUrl(url: string): string {
  const page = (globalThis as { location?: { href: string } }).location?.href;
  const parsed = URL.canParse(url, page) ? new URL(url, page) : undefined;
  if (parsed === undefined || !/^https?:$/.test(parsed.protocol)) {
    throw new TypeError(`url: ${JSON.stringify(url)} is not an address such as http://127.0.0.1:8000`);
  }
  if (parsed.username || parsed.password) throw new TypeError("url: an address with a password; give a token instead");
  return (parsed.origin + parsed.pathname).replace(/\/+$/, "");
}

/** Returns the token if a header can contain it. Otherwise `fetch` would throw an error that quotes it. */
function checkToken(token: string): string {
  if (!/^[\x21-\x7e]+$/.test(token)) throw new TypeError("token: it contains characters that no token has");
  return token;
}

/** Returns the data of a response; `fetchWithRetry` throws if it is not a success. */
function asData<T>({ data }: { data?: T }): T {
  return data as T;
}

/** Returns a snapshot as rows, the default format of the API. */
function asRows(result: { data?: Snapshot | components["schemas"]["Columns"] }): Snapshot {
  return result.data as Snapshot;
}

function toQuery({ after, types, faction }: EventFilter): Record<string, string> {
  return {
    ...(after ? { after } : {}),
    ...(types?.length ? { type: types.join(",") } : {}),
    ...(faction ? { faction } : {}),
  };
}

/** Returns 128 random bits in hexadecimal digits. `crypto.randomUUID` exists only in pages that were loaded over HTTPS. */
function randomKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
