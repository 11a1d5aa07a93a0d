/** The parts of the DOM that the page uses, with the elements of the real index.html. */

import { readFileSync } from "node:fs";

import { FakeCanvas, setGlobals } from "./globals.js";

const INDEX = new URL("../../../src/sector/viz/page/index.html", import.meta.url);
const VOID = new Set(["input", "meta", "link", "br"]);

export class FakeElement extends EventTarget {
  /** @param {string} tag */
  constructor(tag) {
    super();
    this.tagName = tag;
    /** @type {Map<string, string>} */
    this.attributes = new Map();
    /** @type {(FakeElement | string)[]} */
    this.childNodes = [];
    /** @type {FakeElement | null} */
    this.parentElement = null;
    this.clientWidth = 600;
    this.clientHeight = 400;
    this.tabIndex = 0;
    this.open = false;
    /** @type {Map<string, string>} */
    const properties = new Map();
    this.style = /** @type {any} */ ({ setProperty: (/** @type {string} */ name, /** @type {string} */ value) => properties.set(name, value), getPropertyValue: (/** @type {string} */ name) => properties.get(name) ?? "" });
    this.dataset = new Proxy(/** @type {Record<string, string>} */ ({}), {
      get: (_, name) => this.attributes.get(`data-${String(name)}`),
      set: (_, name, value) => Boolean(this.attributes.set(`data-${String(name)}`, String(value))),
    });
    this.classList = {
      contains: (/** @type {string} */ name) => this.className.split(" ").includes(name),
      toggle: (/** @type {string} */ name, /** @type {boolean} */ on) => {
        const others = this.className.split(" ").filter((each) => each && each !== name);
        this.className = (on ? [...others, name] : others).join(" ");
      },
    };
  }

  get children() {
    return this.childNodes.filter((node) => node instanceof FakeElement);
  }

  get options() {
    return this.children;
  }

  get lastElementChild() {
    return this.children.at(-1) ?? null;
  }

  get textContent() {
    return this.childNodes.map((node) => (typeof node === "string" ? node : node.textContent)).join("");
  }

  set textContent(text) {
    this.replaceChildren(text);
  }

  get value() {
    const value = this.attributes.get("value") ?? "";
    if (this.tagName !== "select") return value;
    const { options } = this;
    // A select has the value of one of its options, or none.
    if (options.some((option) => option.value === value)) return value;
    return this.attributes.has("value") ? "" : (options[0]?.value ?? "");
  }

  set value(value) {
    this.attributes.set("value", value);
  }

  /** @param {string} name */
  getAttribute(name) {
    return this.attributes.get(name) ?? null;
  }

  /** @param {string} name @param {string} value */
  setAttribute(name, value) {
    this.attributes.set(name, String(value));
  }

  /** @param {string} name */
  removeAttribute(name) {
    this.attributes.delete(name);
  }

  /** @param {string} name @param {boolean} on */
  toggleAttribute(name, on) {
    if (on) this.attributes.set(name, "");
    else this.attributes.delete(name);
  }

  /** @param {(FakeElement | string)[]} nodes @param {number} at */
  #insert(nodes, at) {
    for (const node of nodes) {
      if (!(node instanceof FakeElement)) continue;
      node.remove();
      node.parentElement = this;
    }
    this.childNodes.splice(at, 0, ...nodes);
  }

  /** @param {(FakeElement | string)[]} nodes */
  append(...nodes) {
    this.#insert(nodes, this.childNodes.length);
  }

  /** @param {(FakeElement | string)[]} nodes */
  prepend(...nodes) {
    this.#insert(nodes, 0);
  }

  /** @param {(FakeElement | string)[]} nodes */
  replaceChildren(...nodes) {
    for (const child of this.children) child.parentElement = null;
    this.childNodes = [];
    this.append(...nodes);
  }

  remove() {
    const parent = this.parentElement;
    if (parent) parent.childNodes.splice(parent.childNodes.indexOf(this), 1);
    this.parentElement = null;
  }

  /** @param {FakeElement | null} other @returns {boolean} */
  contains(other) {
    return other === this || this.children.some((child) => child.contains(other));
  }

  /** @returns {FakeElement[]} all descendants, in document order */
  get descendants() {
    return this.children.flatMap((child) => [child, ...child.descendants]);
  }

  /** @param {string} selectors such as `tag`, `.class`, `#id`, `[name=value]`, `tag[name]`, `input:not([type=range])` */
  matches(selectors) {
    return selectors.split(/,\s*/).some((selector) => {
      const [plain, not] = selector.split(/:not\(|\)$/);
      const [, tag, kind, name, , attribute, , value] = /^([\w-]*)(?:([.#])([\w-]+))?(\[([\w-]+)(=([\w-]+))?\])?$/.exec(plain) ?? [];
      if (tag && tag !== this.tagName) return false;
      if (kind === "." && !this.classList.contains(name)) return false;
      if (kind === "#" && this.id !== name) return false;
      if (attribute && (value === undefined ? !this.attributes.has(attribute) : this.attributes.get(attribute) !== value)) return false;
      return not ? !this.matches(not) : true;
    });
  }

  /** @param {string} selector */
  querySelectorAll(selector) {
    return this.descendants.filter((element) => element.matches(selector));
  }

  /** @param {string} selector */
  querySelector(selector) {
    return this.querySelectorAll(selector)[0] ?? null;
  }

  focus() {
    /** @type {any} */ (globalThis.document).activeElement = this;
    this.dispatchEvent(new Event("focus"));
  }

  blur() {
    /** @type {any} */ (globalThis.document).activeElement = null;
    this.dispatchEvent(new Event("blur"));
  }

  click() {
    this.fire("click");
  }

  /**
   * Dispatch an event.
   * @param {string} type
   * @param {Record<string, unknown>} [fields] of the event
   */
  fire(type, fields = {}) {
    const event = new Event(type, { cancelable: true });
    for (const [name, value] of Object.entries(fields)) Object.defineProperty(event, name, { value });
    this.dispatchEvent(event);
    return event;
  }

  showModal() {
    this.open = true;
  }

  close() {
    this.open = false;
  }

  setPointerCapture() {}

  getContext() {
    this.canvas ??= new FakeCanvas(this.clientWidth, this.clientHeight);
    return this.canvas.context;
  }
}

// Attributes that are properties too.
for (const name of ["id", "title", "min", "max", "media", "content"]) reflect(name, name);
reflect("className", "class");
for (const name of ["hidden"]) {
  Object.defineProperty(FakeElement.prototype, name, {
    /** @this {FakeElement} */
    get() {
      return this.attributes.has(name);
    },
    /** @this {FakeElement} @param {boolean} on */
    set(on) {
      this.toggleAttribute(name, on);
    },
  });
}

/** @param {string} property @param {string} attribute */
function reflect(property, attribute) {
  Object.defineProperty(FakeElement.prototype, property, {
    /** @this {FakeElement} */
    get() {
      return this.attributes.get(attribute) ?? "";
    },
    /** @this {FakeElement} @param {string} value */
    set(value) {
      this.attributes.set(attribute, String(value));
    },
  });
}

/**
 * Return the tree of elements of an HTML text.
 * @param {string} html well-formed
 */
function parse(html) {
  const root = new FakeElement("#document");
  let at = root;
  for (const [, comment, end, tag, attributes, text] of html.matchAll(/(<!.*?>)|<\/([\w-]+)>|<([\w-]+)([^>]*)>|([^<]+)/gs)) {
    if (comment) continue;
    if (end) at = at.parentElement ?? root;
    else if (tag) {
      const element = new FakeElement(tag);
      for (const [, name, value = ""] of attributes.matchAll(/([\w-]+)(?:="([^"]*)")?/g)) element.setAttribute(name, value);
      at.append(element);
      if (!VOID.has(tag)) at = element;
    } else if (text?.trim()) at.append(text.trim());
  }
  return root;
}

class FakeStorage {
  constructor() {
    /** @type {Map<string, string>} */
    this.items = new Map();
  }

  /** @param {string} name */
  getItem(name) {
    return this.items.get(name) ?? null;
  }

  /** @param {string} name @param {string} value */
  setItem(name, value) {
    this.items.set(name, value);
  }

  /** @param {string} name */
  removeItem(name) {
    this.items.delete(name);
  }
}

/** The style sheet's variables, for `getComputedStyle`. */
export const STYLE = { "--scheme": " dark", "--background": " #101010", "--lane": "#202020", "--text": "#f0f0f0", "--muted": "#909090", "--neutral": "#808080", "--territory-opacity": " 0.4", "--accent": "#ffcc00" };

/**
 * Install the page and the globals of a browser.
 * @param {Record<string, unknown>} [settings] of the page
 */
export function installDom(settings = { sim: "default", api: "" }) {
  const document = /** @type {any} */ (parse(readFileSync(INDEX, "utf8")));
  document.body = document.querySelector("body");
  document.documentElement = document.querySelector("html");
  document.querySelector("meta[name=sector]").content = JSON.stringify(settings);
  document.activeElement = null;
  document.title = "";
  document.getElementById = (/** @type {string} */ id) => document.descendants.find((/** @type {FakeElement} */ element) => element.id === id) ?? null;
  document.createElement = (/** @type {string} */ tag) => new FakeElement(tag);
  document.createElementNS = (/** @type {string} */ _, /** @type {string} */ tag) => new FakeElement(tag);
  const media = new EventTarget();
  const windowEvents = new EventTarget();
  setGlobals({
    document,
    window: globalThis,
    location: new URL("https://viz.example/base/"),
    history: { replaceState: (/** @type {unknown} */ _, /** @type {string} */ __, /** @type {string} */ hash) => (location.hash = hash) },
    localStorage: new FakeStorage(),
    sessionStorage: new FakeStorage(),
    matchMedia: () => Object.assign(media, { matches: false }),
    getComputedStyle: () => ({ getPropertyValue: (/** @type {string} */ name) => STYLE[/** @type {keyof typeof STYLE} */ (name)] ?? "" }),
    HTMLElement: FakeElement,
    WheelEvent: { DOM_DELTA_LINE: 1 },
    OffscreenCanvas: FakeCanvas,
    Path2D: class {
      moveTo() {}
      lineTo() {}
    },
    ResizeObserver: class {
      observe() {}
    },
    navigator: { language: "en" },
    devicePixelRatio: 2,
    requestAnimationFrame: () => 0,
    addEventListener: windowEvents.addEventListener.bind(windowEvents),
    dispatchEvent: windowEvents.dispatchEvent.bind(windowEvents),
  });
  // The page has timers that never end; they do not keep a test alive.
  const plain = setInterval;
  setGlobals({ setInterval: (/** @type {() => void} */ callback, /** @type {number} */ delay) => plain(callback, delay).unref() });
  return document;
}
