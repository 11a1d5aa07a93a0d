/** An emitter: those who listen are called by the name of what happens. */

/** @template {Record<string, any>} Told */
export class Emitter {
  constructor() {
    /** @type {Map<keyof Told, ((detail: any) => void)[]>} */
    this.listeners = new Map();
  }

  /**
   * @template {keyof Told} Name
   * @param {Name} name
   * @param {(detail: Told[Name]) => void} listener
   */
  on(name, listener) {
    this.listeners.set(name, [...(this.listeners.get(name) ?? []), listener]);
  }

  /**
   * @template {keyof Told} Name
   * @param {Name} name
   * @param {Told[Name]} detail
   */
  emit(name, detail) {
    for (const listener of this.listeners.get(name) ?? []) listener(detail);
  }
}
