/** Retries of requests while the API is unreachable. A request may be sent several times, so it must be idempotent. */

import { Deadline, pause } from "./abort.js";
import { ApiError, ClientError, UnavailableError } from "./errors.js";
import type { Problem } from "./models.js";

const RETRYABLE: ReadonlySet<number> = new Set([408, 429, 502, 503, 504]);
const FIRST_PAUSE_MS = 50;
const MAX_PAUSE_MS = 2_000;
const NOT_MODIFIED = 304;
const TOO_MANY_REQUESTS = 429;

/**
 * The part of the global `fetch` that the client uses. A replacement must pass on `init`, which contains the signal.
 */
export type Fetch = (request: Request, init?: RequestInit) => Promise<Response>;

export interface RetryOptions {
  /** The timeout of one attempt, in milliseconds. */
  readonly timeoutMs: number;
  /** After how many milliseconds no further attempt begins. */
  readonly retryTimeoutMs: number;
  /** Aborts the attempt, and the pause before the next one. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Returns a `fetch` whose response is a success with a JSON body, or 304.
 *
 * It throws ApiError if the API rejects the request, and UnavailableError after `retryTimeoutMs` of attempts. It throws
 * the reason of `signal` if that is aborted.
 */
export function fetchWithRetry(fetch: Fetch, options: RetryOptions): (request: Request) => Promise<Response> {
  return async (request) => {
    const end = performance.now() + options.retryTimeoutMs;
    for (let maxPauseMs = FIRST_PAUSE_MS; ; maxPauseMs = Math.min(maxPauseMs * 2, MAX_PAUSE_MS)) {
      const result = await attempt(fetch, request, options);
      if (result instanceof Response) return result;
      if (result instanceof ApiError && !RETRYABLE.has(result.problem.status)) throw result;
      // Source: M. Brooker, "Exponential Backoff And Jitter", 2015.
      const retryAfterMs = result instanceof ApiError ? result.retryAfterMs : 0;
      const pauseMs = Math.max(retryAfterMs, maxPauseMs * (0.5 + Math.random() / 2));
      if (performance.now() + pauseMs > end) throw finalError(result);
      await pause(pauseMs, options.signal);
    }
  };
}

/** Returns the error for a response that is not a success. Throws as `readText` does. */
export async function readError(response: Response, deadline: Deadline): Promise<ApiError> {
  const text = await readText(response, deadline);
  const retryAfter = response.headers.get("retry-after") ?? "";
  const retryAfterMs = /^\d+$/.test(retryAfter) ? Number(retryAfter) * 1000 : 0;
  return new ApiError(parseProblem(text, response), retryAfterMs);
}

/**
 * Reads a body as text. It closes the connection on an error or at the deadline, because a signal does not always do
 * that.
 */
async function readText(response: Response, deadline: Deadline): Promise<string> {
  const reader = response.body?.getReader();
  const decoder = new TextDecoder();
  let text = "";
  try {
    while (reader) {
      const { value, done } = await deadline.race(reader.read());
      if (done) break;
      text += decoder.decode(value, { stream: true });
    }
  } catch (error) {
    reader?.cancel().catch(() => undefined);
    throw error;
  }
  return text + decoder.decode();
}

/** Returns the message of an error and of its cause. Node.js says only "fetch failed" in the first. */
export function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause instanceof Error ? ` (${error.cause.message || error.cause.name})` : "";
  return `${error.message}${cause}`;
}

async function attempt(fetch: Fetch, request: Request, options: RetryOptions): Promise<Response | ClientError> {
  const deadline = new Deadline(options.timeoutMs, `no answer within ${options.timeoutMs} ms`, options.signal);
  try {
    // The browser would follow a redirect of a POST with a GET.
    const redirect = request.method === "GET" ? "follow" : "error";
    const response = await deadline.race(fetch(request.clone(), { signal: deadline.signal, redirect }));
    if (!response.ok && response.status !== NOT_MODIFIED) return await readError(response, deadline);
    // The body is part of the attempt: a connection that breaks inside it leads to a retry.
    const body = response.status === NOT_MODIFIED ? null : await readText(response, deadline);
    if (body !== null && !isJson(response, body)) {
      return new UnavailableError(`${request.url} did not answer with JSON. Is it the API of a world?`);
    }
    return new Response(body, { status: response.status, headers: response.headers });
  } catch (error) {
    options.signal?.throwIfAborted();
    return new UnavailableError(`${request.url} is unreachable: ${describe(error)}`, { cause: error });
  } finally {
    deadline.end();
  }
}

/**
 * Says whether a response looks like JSON. It checks the content type and both ends of the body; the caller parses it.
 */
function isJson(response: Response, body: string): boolean {
  return Boolean(response.headers.get("content-type")?.includes("json")) && /^\s*[[{]/.test(body) && /[\]}]\s*$/.test(body);
}

/** Returns the error to throw after the last attempt. Temporary errors of the API become an UnavailableError. */
function finalError(error: ClientError): ClientError {
  const isRateLimit = error instanceof ApiError && error.problem.status === TOO_MANY_REQUESTS;
  return error instanceof ApiError && !isRateLimit ? new UnavailableError(error.message, { cause: error }) : error;
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
  // A proxy may have sent this response.
  const { status, statusText } = response;
  return { type: "about:blank", title: statusText || "Error", status, detail: text.slice(0, 200), errors: [] };
}
