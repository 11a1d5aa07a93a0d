/** The event stream (server-sent events). It reconnects, and resumes after the last event. */

import { createParser } from "eventsource-parser";
import type { EventSourceMessage } from "eventsource-parser";

import { Deadline, pause } from "./abort.js";
import { ApiError, UnavailableError } from "./errors.js";
import type { Event, Gap } from "./models.js";
import { describe, readError } from "./retry.js";
import type { Fetch } from "./retry.js";

/** The server sends a comment at least every 15 s by default. */
const MAX_SILENCE_MS = 60_000;
const FIRST_RETRY_MS = 1_000;
/** Messages about the stream itself. `dropped` and `reconnect` end it; `tick` follows the last event of a tick. */
const CONTROL: ReadonlySet<string> = new Set(["dropped", "reconnect", "tick"]);
const TEMPORARY: ReadonlySet<number> = new Set([408, 429]);
const SERVER_ERROR = 500;

export interface StreamOptions {
  /** The id of the event to resume after. "" begins with the next event. */
  readonly after: string;
  /** The timeout of one attempt to connect, in milliseconds. */
  readonly timeoutMs: number;
  /** After how many milliseconds without a connection the stream fails. */
  readonly retryTimeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Yields events until `signal` aborts it.
 *
 * Throws ApiError if the API rejects the request. Throws UnavailableError after `retryTimeoutMs` without a connection.
 */
export async function* streamEvents(fetch: Fetch, url: string, options: StreamOptions): AsyncGenerator<Event | Gap> {
  const position: Position = { lastId: options.after, retryMs: FIRST_RETRY_MS, disconnectedSince: undefined };
  for (;;) {
    let failure: unknown = "the stream ended";
    try {
      for await (const message of readMessages(fetch, url, position, options)) {
        const event = parseMessage(message);
        if (event !== undefined) yield event;
      }
    } catch (error) {
      options.signal?.throwIfAborted();
      if (!(error instanceof ConnectionError)) throw error;
      failure = error.cause;
    }
    position.disconnectedSince ??= performance.now();
    if (performance.now() - position.disconnectedSince > options.retryTimeoutMs) {
      throw new UnavailableError(`no events from ${url}: ${describe(failure)}`, { cause: failure });
    }
    await pause(position.retryMs, options.signal);
  }
}

interface Position {
  lastId: string;
  retryMs: number;
  /** When the connection was lost. It is undefined while there is a connection. */
  disconnectedSince: number | undefined;
}

/** The client could not connect, or the connection broke. */
class ConnectionError extends Error {}

/** Yields the messages of one connection. Stores the last id and the retry time in `position`. */
async function* readMessages(
  fetch: Fetch,
  url: string,
  position: Position,
  options: StreamOptions,
): AsyncGenerator<EventSourceMessage> {
  const body = await connect(fetch, url, position, options);
  const reader = body.stream.pipeThrough(new TextDecoderStream()).getReader();
  let messages: EventSourceMessage[] = [];
  let head = "";
  const parser = createParser({
    onEvent: (message) => messages.push(message),
    onRetry: (ms) => (position.retryMs = ms),
  });
  try {
    for (;;) {
      const { value, done } = await failsAsConnection(body.silence.race(reader.read()));
      if (done) return;
      body.silence.restart();
      // A stream that begins now sends an id before its first event, in a message without data. The parser skips such a
      // message.
      if (!position.lastId && !head.includes("\n\n")) {
        head += value;
        position.lastId = /^(?:.*\n)?id: (\S+)\n/.exec(head)?.[1] ?? "";
      }
      parser.feed(value);
      for (const message of messages) {
        position.lastId = message.id ?? position.lastId;
        yield message;
      }
      messages = [];
    }
  } finally {
    body.silence.end();
    // A caller that stops early leaves an open connection.
    await reader.cancel().catch(() => undefined);
  }
}

interface Body {
  readonly stream: ReadableStream<Uint8Array<ArrayBuffer>>;
  /** Aborts the connection when the server is silent for too long. */
  readonly silence: Deadline;
}

async function connect(fetch: Fetch, url: string, position: Position, options: StreamOptions): Promise<Body> {
  const headers = { Accept: "text/event-stream", ...(position.lastId && { "Last-Event-ID": position.lastId }) };
  // The timeout of the headers and the limit of silence need the same controller, because the request has only one
  // signal.
  const silence = new Deadline(MAX_SILENCE_MS, `the server sent nothing for ${MAX_SILENCE_MS / 1000} s`, options.signal);
  const slow = setTimeout(() => silence.abort(new Error(`no answer within ${options.timeoutMs} ms`)), options.timeoutMs);
  try {
    const request = new Request(url, { headers, cache: "no-store" });
    const response = await failsAsConnection(silence.race(fetch(request, { signal: silence.signal })));
    if (!response.ok) throw await rejection(response, silence);
    const type = response.headers.get("content-type") ?? "";
    if (!type.startsWith("text/event-stream") || response.body === null) {
      await response.body?.cancel();
      const cause = new Error(`${url} did not answer with events. Is it the API of a world?`);
      throw new ConnectionError("content type", { cause });
    }
    position.disconnectedSince = undefined;
    return { stream: response.body, silence };
  } catch (error) {
    silence.end();
    throw error;
  } finally {
    clearTimeout(slow);
  }
}

/**
 * Returns the error to throw for a response that is not a success. A temporary one is a ConnectionError, which leads to
 * a retry.
 */
async function rejection(response: Response, silence: Deadline): Promise<ApiError | ConnectionError> {
  const error = await failsAsConnection(readError(response, silence));
  const isTemporary = response.status >= SERVER_ERROR || TEMPORARY.has(response.status);
  return isTemporary ? new ConnectionError("status", { cause: error }) : error;
}

async function failsAsConnection<T>(promise: Promise<T>): Promise<T> {
  try {
    return await promise;
  } catch (error) {
    throw new ConnectionError("connection", { cause: error });
  }
}

function parseMessage(message: EventSourceMessage): Event | Gap | undefined {
  if (message.event === "gap") {
    const { after, first_tick: firstTick } = JSON.parse(message.data) as { after: string; first_tick: number };
    return { type: "gap", after, firstTick };
  }
  if (CONTROL.has(message.event ?? "") || !message.data) return undefined;
  return JSON.parse(message.data) as Event;
}
