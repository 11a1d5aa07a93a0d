/** Browser storage. If the browser refuses it, or it is full, values are held in memory until the page closes. */

export class PageStorage {
  /** @param {"localStorage" | "sessionStorage"} kind */
  constructor(kind) {
    this.kind = kind;
    /** @type {Map<string, string>} */
    this.memory = new Map();
  }

  /** @param {string} key @returns {string | null} */
  read(key) {
    return this.memory.get(key) ?? this.#attempt((storage) => storage.getItem(key)) ?? null;
  }

  /** @param {string} key @param {string} value */
  write(key, value) {
    const isStored = this.#attempt((storage) => {
      storage.setItem(key, value);
      return true;
    });
    if (isStored) this.memory.delete(key);
    else this.memory.set(key, value);
  }

  /** @param {string} key */
  remove(key) {
    this.memory.delete(key);
    this.#attempt((storage) => storage.removeItem(key));
  }

  /**
   * Use the storage. Returns undefined if that fails. Access to the property itself fails if cookies are blocked, or in a sandbox.
   * @template Value
   * @param {(storage: Storage) => Value} use
   */
  #attempt(use) {
    try {
      return use(globalThis[this.kind]);
    } catch {
      return undefined;
    }
  }
}
