/** Reconnects to the viz: retries after a lost or refused connection, and finds the reason while it fails. */

import { checkConnection } from "./connection-check.js";

/** @typedef {import("../vendor/socket.io.msgpack.min.js").Socket} Socket */

const CHECK_AFTER_MS = 3_000;
const CHECK_INTERVAL_MS = 5_000;
/** Longer than all attempts of Socket.IO itself: a connection that hangs is then started again. */
const RESTART_AFTER_MS = 15_000;

export class Reconnector {
  /** @param {Socket} socket @param {boolean} polling whether the page may use HTTP long-polling @param {() => void} onProblem */
  constructor(socket, polling, onProblem) {
    this.socket = socket;
    this.polling = polling;
    this.onProblem = onProblem;
    /** Why there is no connection, and what to do. Empty while connected, or until the reason is available. */
    this.problem = "";
    this.disconnectedAt = NaN;
    this.attemptAt = NaN;
    this.checkedAt = -Infinity;
  }

  /** Connect if not connected yet. */
  connect() {
    if (Number.isNaN(this.disconnectedAt)) this.disconnectedAt = this.attemptAt = performance.now();
    this.socket.connect();
  }

  onConnect() {
    this.problem = "";
    this.disconnectedAt = this.attemptAt = NaN;
  }

  onDisconnect() {
    this.disconnectedAt = this.attemptAt = performance.now();
  }

  /** @param {Error} error */
  onError(error) {
    // Socket.IO tries the next transport after an error, but not after a timeout.
    if (this.polling && error?.message === "timeout") this.socket.io.opts.transports = ["polling", "websocket"];
    this.#check();
  }

  /** Retry if there is no connection. Called each second. */
  retry() {
    if (this.socket.connected) return;
    const now = performance.now();
    if (now - this.disconnectedAt > CHECK_AFTER_MS) this.#check();
    // Socket.IO does not retry after a refusal, and an attempt may hang without an event.
    if (now - this.attemptAt > (this.socket.active ? RESTART_AFTER_MS : CHECK_AFTER_MS)) {
      this.attemptAt = now;
      this.socket.disconnect().connect();
    }
  }

  async #check() {
    const now = performance.now();
    if (now - this.checkedAt < CHECK_INTERVAL_MS) return;
    this.checkedAt = now;
    const problem = await checkConnection(this.polling);
    if (this.socket.connected) return;
    this.problem = problem;
    this.onProblem();
  }
}
