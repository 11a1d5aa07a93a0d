/** The stream of events (server-sent events). It reconnects after the last event it received. */

import { createParser } from "eventsource-parser";
import type { EventSourceMessage } from "eventsource-parser";

import { UnavailableError } from "./errors.js";
import type { Event, Gap } from "./models.js";
import { describe, pause, readError } from "./retry.js";
import type { Fetch } from "./retry.js";

/** The server sends a comment at least every 15 s by default. */
const MAX_SILENCE_MS = 60_000;
const FIRST_RETRY_MS = 1_000;
/** Messages of the stream itself: it ends, and says why. */
const CONTROL: ReadonlySet<string> = new Set(["dropped", "reconnect"]);

export interface StreamOptions {
  /** The id of the event after which to begin; the stream begins with the next event if it is empty. */
  readonly after: string;
  /** Milliseconds without a connection after which the stream fails. */
  readonly retryTimeoutMs: number;
  readonly signal: AbortSignal;
}

/** Yields events until `signal` aborts it. Throws ApiError if the API rejects it, UnavailableError if it is unreachable too long. */
export async function* streamEvents(fetch: Fetch, url: string, options: StreamOptions): AsyncGenerator<Event | Gap> {
  const position: Position = { lastId: options.after, retryMs: FIRST_RETRY_MS };
  let end = performance.now() + options.retryTimeoutMs;
  for (;;) {
    let failure: unknown = "the stream ended";
    try {
      for await (const message of connect(fetch, url, position, options.signal)) {
        end = performance.now() + options.retryTimeoutMs;
        const event = parse(message);
        if (event !== undefined) yield event;
      }
    } catch (error) {
      options.signal.throwIfAborted();
      if (!(error instanceof ConnectionError)) throw error;
      failure = error.cause;
    }
    if (performance.now() > end) throw new UnavailableError(`no events from ${url}: ${describe(failure)}`, { cause: failure });
    await pause(position.retryMs, options.signal);
  }
}

interface Position {
  lastId: string;
  retryMs: number;
}

/** The connection could not be made, or broke. */
class ConnectionError extends Error {}

/** Yields the messages of one connection, and notes the last id and the retry time in `position`. */
async function* connect(
  fetch: Fetch,
  url: string,
  position: Position,
  signal: AbortSignal,
): AsyncGenerator<EventSourceMessage> {
  const silence = new Silence();
  try {
    const response = await connected(fetch, url, position.lastId, AbortSignal.any([signal, silence.signal]));
    let messages: EventSourceMessage[] = [];
    const parser = createParser({
      onEvent: (message) => messages.push(message),
      onRetry: (ms) => (position.retryMs = ms),
    });
    const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
    for (;;) {
      const { value, done } = await read(reader);
      if (done) return;
      silence.restart();
      parser.feed(value);
      for (const message of messages) {
        position.lastId = message.id ?? position.lastId;
        yield message;
      }
      messages = [];
    }
  } finally {
    silence.end();
  }
}

async function connected(fetch: Fetch, url: string, lastId: string, signal: AbortSignal): Promise<Response> {
  const headers = lastId ? { "Last-Event-ID": lastId } : undefined;
  const request = new Request(url, { signal, cache: "no-store", ...(headers && { headers }) });
  let response: Response;
  try {
    response = await fetch(request);
  } catch (error) {
    throw new ConnectionError("connect", { cause: error });
  }
  if (response.ok) return response;
  const error = await readError(response);
  const temporary = response.status >= 500 || response.status === 408 || response.status === 429;
  throw temporary ? new ConnectionError("status", { cause: error }) : error;
}

async function read(reader: ReadableStreamDefaultReader<string>): Promise<ReadableStreamReadResult<string>> {
  try {
    return await reader.read();
  } catch (error) {
    throw new ConnectionError("read", { cause: error });
  }
}

/** Aborts a connection that sends nothing for too long, and any connection at the end. */
class Silence {
  readonly #controller = new AbortController();
  #timer = this.#start();

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  restart(): void {
    clearTimeout(this.#timer);
    this.#timer = this.#start();
  }

  end(): void {
    clearTimeout(this.#timer);
    this.#controller.abort();
  }

  #start(): ReturnType<typeof setTimeout> {
    const reason = new Error(`the server sent nothing for ${MAX_SILENCE_MS / 1000} s`);
    return setTimeout(() => this.#controller.abort(reason), MAX_SILENCE_MS);
  }
}

function parse(message: EventSourceMessage): Event | Gap | undefined {
  if (message.event === "gap") {
    const { after, first_tick: firstTick } = JSON.parse(message.data) as { after: string; first_tick: number };
    return { type: "gap", after, firstTick };
  }
  if (CONTROL.has(message.event ?? "") || !message.data) return undefined;
  return JSON.parse(message.data) as Event;
}
