/** Globals of a browser that Node.js lacks. Each test file has its own process, so no test restores them. */

/** @param {Record<string, unknown>} values */
export function setGlobals(values) {
  for (const [name, value] of Object.entries(values)) Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
}

/** Run all resolved promises and all timers of 0 ms. */
export function settle() {
  return new Promise((done) => setTimeout(done, 5));
}

/**
 * Wait until a condition holds, for work in other threads.
 * @param {() => boolean} condition
 */
export async function until(condition) {
  for (let count = 0; !condition(); count++) {
    if (count === 2_000) throw new Error(`this does not become true: ${condition}`);
    await settle();
  }
}

/**
 * Replace `fetch`. Returns the list of requests, which grows.
 * @param {(url: URL, options: any) => Response | Promise<Response>} respond may throw, as without a network
 */
export function fakeFetch(respond) {
  /** @type {{path: string, method: string, headers: Record<string, string>, body: any}[]} */
  const requests = [];
  setGlobals({
    fetch: async (/** @type {URL} */ url, /** @type {any} */ options = {}) => {
      const { method = "GET", headers = {}, body } = options;
      requests.push({ path: url.pathname + url.search, method, headers, body: body && JSON.parse(body) });
      return respond(url, options);
    },
  });
  return requests;
}

/**
 * Return an HTTP response with a JSON body.
 * @param {unknown} body
 * @param {ResponseInit} [options]
 */
export function jsonResponse(body, options) {
  return new Response(JSON.stringify(body), options);
}

/** Run timers of the page without delay. Returns the list of their delays, which grows. */
export function skipDelays() {
  /** @type {number[]} */
  const delays = [];
  const plain = setTimeout;
  setGlobals({
    setTimeout: (/** @type {() => void} */ callback, /** @type {number} */ delay) => {
      delays.push(delay);
      return plain(callback, 0);
    },
  });
  return delays;
}

/** A canvas context that records what is drawn: `calls` has the name and arguments of each call. */
export class FakeContext {
  /** @param {{width: number, height: number}} canvas */
  constructor(canvas) {
    /** @type {[name: string, ...args: any[]][]} */
    this.calls = [];
    this.canvas = canvas;
    return new Proxy(this, {
      get(target, name) {
        if (name in target) return Reflect.get(target, name);
        return (/** @type {any[]} */ ...args) => void target.calls.push([String(name), ...args]);
      },
    });
  }

  /** @param {string} name */
  count(name) {
    return this.calls.filter(([each]) => each === name).length;
  }

  /** @param {number} width @param {number} height */
  createImageData(width, height) {
    return { width, height, data: new Uint8ClampedArray(4 * width * height) };
  }

  /** @param {number} _left @param {number} _top @param {number} width @param {number} height */
  getImageData(_left, _top, width, height) {
    return this.createImageData(width, height);
  }

  /** @param {string} text */
  measureText(text) {
    return { width: 7 * text.length };
  }

  createRadialGradient() {
    return { addColorStop() {} };
  }
}

export class FakeCanvas {
  /** @param {number} width @param {number} height */
  constructor(width, height) {
    this.width = width;
    this.height = height;
    this.context = new FakeContext(this);
  }

  getContext() {
    return this.context;
  }
}

/** A theme for the modules that draw. */
export function fakeTheme() {
  return {
    version: 1,
    territoryOpacity: 0.5,
    colours: { background: "#000000", lane: "#111111", text: "#ffffff", muted: "#888888", neutral: "#777777", accent: "#ffff00" },
    factionColours: (/** @type {string[]} */ colours) => colours.map((_, row) => [10 * row, 20, 30]),
  };
}
