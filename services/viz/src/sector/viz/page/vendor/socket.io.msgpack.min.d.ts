/** What the page uses of Socket.IO's client; its own types come with its sources, which are not vendored. */
export interface Socket {
  readonly connected: boolean;
  /** Whether it reconnects by itself. */
  readonly active: boolean;
  readonly io: { opts: { transports?: string[] } };
  connect(): this;
  disconnect(): this;
  on(event: string, listener: (...args: any[]) => void): this;
  emit(event: string, ...args: unknown[]): this;
}
declare global {
  var io: (options: Record<string, unknown>) => Socket;
}
