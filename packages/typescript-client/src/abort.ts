/** Deadlines: limits of time, which a signal of the caller can shorten. */

/**
 * A time limit for one operation at a time.
 *
 * `AbortSignal.any` and `AbortSignal.timeout` are not enough: the garbage collector of Node.js may collect the link
 * between a signal and a pending request, which then never ends. Here a timer and a listener hold the controller, and
 * `race` needs no link.
 */
export class Deadline {
  readonly #controller = new AbortController();
  readonly #caller: AbortSignal | undefined;
  readonly #ms: number;
  readonly #message: string;
  #timer: ReturnType<typeof setTimeout>;
  #reject: ((reason: unknown) => void) | undefined;

  /**
   * Starts now. After `ms` milliseconds it aborts with an error of this message. If `caller` aborts first, it aborts
   * with its reason.
   */
  constructor(ms: number, message: string, caller: AbortSignal | undefined) {
    this.#ms = ms;
    this.#message = message;
    this.#caller = caller;
    this.#timer = this.#start();
    if (caller?.aborted) this.#onCaller();
    else caller?.addEventListener("abort", this.#onCaller);
  }

  /** The signal to pass to `fetch`. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Returns the result of `work`, or throws the reason as soon as the deadline aborts. */
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

  /** Starts the full time again. */
  restart(): void {
    clearTimeout(this.#timer);
    this.#timer = this.#start();
  }

  /** Stops the timer. The deadline does not abort any more. */
  end(): void {
    clearTimeout(this.#timer);
    this.#caller?.removeEventListener("abort", this.#onCaller);
  }

  readonly #onCaller = (): void => this.abort(this.#caller?.reason);

  #start(): ReturnType<typeof setTimeout> {
    return setTimeout(() => this.abort(new Error(this.#message)), this.#ms);
  }
}

/** Waits `ms` milliseconds. Throws the reason of `signal` as soon as that aborts. */
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
