/** Sends a request, and sends it again while the API is not available. So it must be safe to send it twice. */

import { ApiError, ClientError, UnavailableError } from "./errors.js";
import type { Problem } from "./models.js";

const RETRYABLE: ReadonlySet<number> = new Set([408, 429, 502, 503, 504]);
const FIRST_PAUSE_MS = 50;
const MAX_PAUSE_MS = 2_000;
const NOT_MODIFIED = 304;
const TOO_MANY_REQUESTS = 429;

export type Fetch = (request: Request) => Promise<Response>;

export interface RetryOptions {
  /** Milliseconds for one attempt. */
  readonly timeoutMs: number;
  /** Milliseconds after which no further attempt begins. */
  readonly retryTimeoutMs: number;
}

/**
 * Returns a `fetch` whose response is a success or 304.
 *
 * It throws ApiError if the API rejects the request, UnavailableError after `retryTimeoutMs` of attempts, and the reason of the
 * request's own signal if that aborts it.
 */
export function fetchWithRetry(fetch: Fetch, options: RetryOptions): Fetch {
  return async (request) => {
    const end = performance.now() + options.retryTimeoutMs;
    for (let maxPauseMs = FIRST_PAUSE_MS; ; maxPauseMs = Math.min(maxPauseMs * 2, MAX_PAUSE_MS)) {
      const result = await attempt(fetch, request, options.timeoutMs);
      if (result instanceof Response) return result;
      if (result instanceof ApiError && !RETRYABLE.has(result.problem.status)) throw result;
      // Source: M. Brooker, "Exponential Backoff And Jitter", 2015.
      const retryAfterMs = result instanceof ApiError ? result.retryAfterMs : 0;
      const pauseMs = Math.max(retryAfterMs, maxPauseMs * (0.5 + Math.random() / 2));
      if (performance.now() + pauseMs > end) throw final(result);
      await pause(pauseMs, request.signal);
    }
  };
}

/** Waits. Throws the reason of `signal` as soon as it is aborted. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  await new Promise<void>((resolve, reject) => {
    const onAbort = (): void => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener("abort", onAbort);
      resolve();
    }, ms);
    signal.addEventListener("abort", onAbort, { once: true });
  });
}

/** Reads what a response that is no success says. */
export async function readError(response: Response): Promise<ApiError> {
  const text = await response.text();
  const retryAfter = response.headers.get("retry-after") ?? "";
  const retryAfterMs = /^\d+$/.test(retryAfter) ? Number(retryAfter) * 1000 : 0;
  return new ApiError(parseProblem(text, response), retryAfterMs);
}

async function attempt(fetch: Fetch, request: Request, timeoutMs: number): Promise<Response | ClientError> {
  const signal = AbortSignal.any([request.signal, AbortSignal.timeout(timeoutMs)]);
  try {
    const response = await fetch(new Request(request.clone(), { signal }));
    if (!response.ok && response.status !== NOT_MODIFIED) return await readError(response);
    // The body is part of the attempt: it is read here, so that a connection that breaks inside it leads to a retry.
    const body = response.status === NOT_MODIFIED ? null : await response.arrayBuffer();
    if (body !== null && !response.headers.get("content-type")?.includes("json")) {
      return new UnavailableError(`${request.url} did not answer with JSON. Is it the API of a world?`);
    }
    return new Response(body, { status: response.status, headers: response.headers });
  } catch (error) {
    request.signal.throwIfAborted();
    return new UnavailableError(`${request.url} is unreachable: ${describe(error)}`, { cause: error });
  }
}

function final(error: ClientError): ClientError {
  const overloaded = error instanceof ApiError && error.problem.status !== TOO_MANY_REQUESTS;
  return overloaded ? new UnavailableError(error.message, { cause: error }) : error;
}

function parseProblem(text: string, response: Response): Problem {
  try {
    const problem = JSON.parse(text) as Partial<Problem> | null;
    if (typeof problem?.status === "number" && typeof problem.title === "string") {
      return { type: "about:blank", detail: "", errors: [], ...problem } as Problem;
    }
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  // Not an answer of the API, but perhaps of a proxy before it.
  const { status, statusText } = response;
  return { type: "about:blank", title: statusText || "Error", status, detail: text.slice(0, 200), errors: [] };
}

/** Returns the message of an error and of its cause: Node.js says only "fetch failed" in the first. */
export function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause instanceof Error ? ` (${error.cause.message || error.cause.name})` : "";
  return `${error.message}${cause}`;
}
