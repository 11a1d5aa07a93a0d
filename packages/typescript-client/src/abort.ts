/** Ends what takes too long, or what the caller aborts. */

/**
 * A limit in time for one piece of work at a time.
 *
 * `AbortSignal.any` and `AbortSignal.timeout` are not enough: in Node.js the garbage collector may take the links from a signal to a
 * request that is on its way, and then nothing ends it. Here a timer and a listener hold the controller, and `race` needs no link.
 */
export class Deadline {
  readonly #controller = new AbortController();
  readonly #caller: AbortSignal | undefined;
  readonly #ms: number;
  readonly #message: string;
  #timer: ReturnType<typeof setTimeout>;
  #reject: ((reason: unknown) => void) | undefined;

  /** Begins now. It aborts after `ms` milliseconds with an error of this message, or together with `caller`, for its reason. */
  constructor(ms: number, message: string, caller: AbortSignal | undefined) {
    this.#ms = ms;
    this.#message = message;
    this.#caller = caller;
    this.#timer = this.#start();
    if (caller?.aborted) this.#onCaller();
    else caller?.addEventListener("abort", this.#onCaller);
  }

  /** What to give to `fetch`. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Returns what `work` returns, or throws the reason as soon as this is aborted. */
  race<T>(work: Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (this.signal.aborted) reject(this.signal.reason);
      this.#reject = reject;
      work.then(resolve, reject);
    });
  }

  /** Aborts now. */
  abort(reason: unknown): void {
    this.#controller.abort(reason);
    this.#reject?.(reason);
  }

  /** Begins again from now. */
  restart(): void {
    clearTimeout(this.#timer);
    this.#timer = this.#start();
  }

  /** Ends without an abort. */
  end(): void {
    clearTimeout(this.#timer);
    this.#caller?.removeEventListener("abort", this.#onCaller);
  }

  readonly #onCaller = (): void => this.abort(this.#caller?.reason);

  #start(): ReturnType<typeof setTimeout> {
    return setTimeout(() => this.abort(new Error(this.#message)), this.#ms);
  }
}

/** Waits. Throws the reason of `signal` as soon as that is aborted. */
export async function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  signal?.throwIfAborted();
  await new Promise<void>((resolve, reject) => {
    const onAbort = (): void => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", onAbort);
      resolve();
    }, ms);
    signal?.addEventListener("abort", onAbort, { once: true });
  });
}
