/** The errors of the client. */

import type { Problem } from "./models.js";

/** A request that did not succeed. */
export class ClientError extends Error {
  override readonly name: string = "ClientError";
}

/** The API rejected the request, and would reject it again. `problem` says why, `retryAfterMs` when to try again. */
export class ApiError extends ClientError {
  override readonly name = "ApiError";

  constructor(
    readonly problem: Problem,
    readonly retryAfterMs: number = 0,
  ) {
    super(`${problem.status} ${problem.title}: ${problem.detail}`);
  }
}

/** The API was not reached, or could not answer, for as long as the client retries. `cause` is the last error. */
export class UnavailableError extends ClientError {
  override readonly name = "UnavailableError";
}
