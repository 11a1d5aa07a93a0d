/** A client of the API of Sector, for browsers and Node.js. */

export { Client } from "./client.js";
export type { ClientOptions, EventFilter, OrderOptions, RequestOptions } from "./client.js";
export { ApiError, ClientError, UnavailableError } from "./errors.js";
export type * from "./models.js";
export type { Fetch } from "./retry.js";
export type { components, operations, paths } from "./schema.js";
