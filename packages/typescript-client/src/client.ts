/** The client: one sim, one token. It retries, and each order still takes effect once. */

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
  /** The token that orders are submitted with. Reading takes none. */
  readonly token?: string;
  /** The id of the sim. Default: the one that the API serves by itself. */
  readonly sim?: string;
  /** Milliseconds for one attempt of a request. Default: 5,000. */
  readonly timeoutMs?: number;
  /** Milliseconds for which the client retries. Default: 10,000. */
  readonly retryTimeoutMs?: number;
  /** A `fetch` to use instead of the global one. */
  readonly fetch?: Fetch;
}

export interface RequestOptions {
  /** Aborts the request, and its retries. */
  readonly signal?: AbortSignal;
}

export interface OrderOptions extends RequestOptions {
  /** An idempotency key, so that a program that restarts can send the same order again. Default: a random one. */
  readonly key?: string;
}

export interface EventFilter extends RequestOptions {
  /** The id of the event after which to begin. */
  readonly after?: string;
  /** Only events of these types. */
  readonly types?: readonly EventType[];
  /** Only events that concern this faction. */
  readonly faction?: string;
}

/**
 * A client of the API at `url`.
 *
 * Its methods throw ApiError if the API rejects the request, UnavailableError if the API is unreachable for `retryTimeoutMs`,
 * and the reason of `signal` if that is aborted.
 */
export class Client {
  readonly #root: string;
  readonly #sim: string;
  readonly #fetch: Fetch;
  readonly #timeoutMs: number;
  readonly #retryTimeoutMs: number;
  readonly #ofSim: ApiClient<paths>;
  readonly #ofAll: ApiClient<paths>;
  #newest: { readonly etag: string; readonly snapshot: Snapshot } | undefined;

  constructor(url: string, options: ClientOptions = {}) {
    this.#root = url.replace(/\/+$/, "");
    this.#sim = options.sim ? `${this.#root}/sims/${encodeURIComponent(options.sim)}` : this.#root;
    // The global fetch must not be called as a method of the client.
    this.#fetch = options.fetch ?? ((request) => globalThis.fetch(request));
    this.#timeoutMs = options.timeoutMs ?? 5_000;
    this.#retryTimeoutMs = options.retryTimeoutMs ?? 10_000;
    const headers = options.token ? { Authorization: `Bearer ${options.token}` } : {};
    // Each path of a sim exists below the root too, for the API's own sim: the types of both are the same.
    this.#ofSim = createClient<paths>({ baseUrl: this.#sim, headers, fetch: this.#retrying() });
    this.#ofAll = createClient<paths>({ baseUrl: this.#root, headers, fetch: this.#retrying() });
  }

  /** Returns the newest state, the same object while it did not change; or the state at an earlier tick. */
  async snapshot({ tick, signal }: RequestOptions & { tick?: number } = {}): Promise<Snapshot> {
    if (tick !== undefined) return rows(await this.#ofSim.GET("/snapshot", { params: { query: { tick } }, ...abort(signal) }));
    const header = this.#newest ? { "If-None-Match": this.#newest.etag } : {};
    const result = await this.#ofSim.GET("/snapshot", { params: { header }, ...abort(signal) });
    if (result.response.status === 304 && this.#newest) return this.#newest.snapshot;
    const snapshot = rows(result);
    this.#newest = { etag: result.response.headers.get("etag") ?? "", snapshot };
    return snapshot;
  }

  /** Submits an order, and returns its id. */
  async order(order: Order, options: OrderOptions = {}): Promise<string> {
    return (await this.#post<components["schemas"]["Accepted"]>(order, options)).id;
  }

  /** Submits up to 1,000 orders, and returns for each its id or the error with which it was rejected. */
  async orders(orders: readonly Order[], options: OrderOptions = {}): Promise<(string | ApiError)[]> {
    const { results } = await this.#post<components["schemas"]["Results"]>([...orders], options);
    return results.map(({ id, problem }) => (problem ? new ApiError(problem) : (id ?? "")));
  }

  /** Returns the result of an order. With `waitMs` (at most 30,000) it waits so long for an order that is still pending. */
  async orderStatus(id: string, { waitMs = 0, signal }: RequestOptions & { waitMs?: number } = {}): Promise<OrderStatus> {
    const query = waitMs ? { wait: `${(waitMs / 1000).toFixed(3)}s` } : {};
    const fetch = this.#retrying(this.#timeoutMs + waitMs);
    const params = { path: { order_id: id }, query };
    return success(await this.#ofSim.GET("/orders/{order_id}", { params, fetch, ...abort(signal) }));
  }

  /** Returns a page of at most `limit` events (default: 1,000), oldest first. */
  async events({ limit = 1_000, signal, ...filter }: EventFilter & { limit?: number } = {}): Promise<EventPage> {
    const query = { after: "0-0", limit, ...search(filter) };
    return success(await this.#ofSim.GET("/events", { params: { query }, ...abort(signal) }));
  }

  /**
   * Yields events as they happen, and reconnects after the last one if the connection breaks. A Gap says that events are missing.
   * End it with `break`, or with `signal`.
   */
  follow({ signal, after = "", ...filter }: EventFilter = {}): AsyncGenerator<Event | Gap> {
    const query = new URLSearchParams(search(filter)).toString();
    const url = `${this.#sim}/events/stream${query && `?${query}`}`;
    return streamEvents(this.#fetch, url, {
      after,
      retryTimeoutMs: this.#retryTimeoutMs,
      signal: signal ?? new AbortController().signal,
    });
  }

  /** Returns a page of sims, by id. */
  async sims({ after, limit = 1_000, signal }: RequestOptions & { after?: string; limit?: number } = {}): Promise<SimPage> {
    const query = { limit, ...(after !== undefined && { after }) };
    return success(await this.#ofAll.GET("/sims", { params: { query }, ...abort(signal) }));
  }

  /** Returns the config of a sim, where it is, its tick length, and the ticks that can be read. Default: the sim of this client. */
  async sim(id?: string, { signal }: RequestOptions = {}): Promise<SimDetails> {
    const sim_id = id ?? (await this.snapshot(abort(signal))).sim;
    return success(await this.#ofAll.GET("/sims/{sim_id}", { params: { path: { sim_id } }, ...abort(signal) }));
  }

  /** Requests a new sim, which a worker then creates. The token needs the scope `admin`. */
  async createSim(id: string, config: SimConfig = {}, { signal }: RequestOptions = {}): Promise<RequestedSim> {
    return success(await this.#ofAll.POST("/sims", { body: { id, config }, ...abort(signal) }));
  }

  /** Requests a sim that begins with the state of this one, now or at `tick`. The token needs the scope `admin`. */
  async fork(newId: string, { tick, signal }: RequestOptions & { tick?: number } = {}): Promise<RequestedSim> {
    const query = tick === undefined ? {} : { tick };
    return success(await this.#ofSim.POST("/fork", { params: { query }, body: { id: newId }, ...abort(signal) }));
  }

  async #post<T>(body: Order | Order[], { key, signal }: OrderOptions): Promise<T> {
    const params = { header: { "Idempotency-Key": key ?? randomKey() } };
    return success(await this.#ofSim.POST("/orders", { params, body, ...abort(signal) })) as T;
  }

  #retrying(timeoutMs: number = this.#timeoutMs): Fetch {
    return fetchWithRetry(this.#fetch, { timeoutMs, retryTimeoutMs: this.#retryTimeoutMs });
  }
}

/** Returns the data of a response; `fetchWithRetry` throws if it is no success. */
function success<T>({ data }: { data?: T }): T {
  return data as T;
}

/** Returns a snapshot as rows, which is the format that the API sends unless it is asked for columns. */
function rows(result: { data?: Snapshot | components["schemas"]["Columns"] }): Snapshot {
  return result.data as Snapshot;
}

function search({ after, types, faction }: EventFilter): Record<string, string> {
  return {
    ...(after ? { after } : {}),
    ...(types?.length ? { type: types.join(",") } : {}),
    ...(faction ? { faction } : {}),
  };
}

function abort(signal: AbortSignal | undefined): { signal?: AbortSignal } {
  return signal ? { signal } : {};
}

/** Returns 128 random bits in hexadecimal digits. `crypto.randomUUID` exists only in pages that were loaded over HTTPS. */
function randomKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
