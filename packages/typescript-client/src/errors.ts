/** The errors that the client throws. */

import type { Problem } from "./models.js";

/** The base class of the errors of the client. */
export class ClientError extends Error {
  override readonly name: string = "ClientError";
}

/**
 * The API rejected the request.
 *
 * `problem`: the error that the API returned. `retryAfterMs`: when to try again, 0 without a Retry-After header.
 */
export class ApiError extends ClientError {
  override readonly name = "ApiError";

  constructor(
    readonly problem: Problem,
    readonly retryAfterMs: number = 0,
  ) {
    super(`${problem.status} ${problem.title}: ${problem.detail}`);
  }
}

/**
 * The API was unreachable, or answered only with temporary errors, until the retry timeout. `cause` is the last error.
 */
export class UnavailableError extends ClientError {
  override readonly name = "UnavailableError";
}
