/**
 * The start of the page: a script that does not depend on the modules. If the page cannot start, it shows the reason and a remedy.
 * If the parts of the page are of another version, it reloads the page. The viz serves it for every version, so it must work with the
 * index.html of each version.
 */
(() => {
  const LOAD_TIMEOUT_MS = 8_000;
  const MAX_RELOADS = 4;
  const FIRST_RELOAD_DELAY_MS = 500;
  const MAX_FETCHES = 6;
  const FETCH_DELAY_MS = 300;

  let isReady = false;
  let isSlow = false;
  let isReloading = false;

  const start = {
    /** Why the page does not work, and what to do. Empty while it works. */
    problem: "",
    /** Called once the page runs. */
    ready() {
      isReady = true;
      if (isSlow) start.problem = "";
    },
    reload,
    fail,
  };
  /** @type {any} */ (globalThis).pageStart = start;

  /** @param {string} problem */
  function fail(problem) {
    start.problem = problem;
    show(problem);
  }

  /** @param {string} problem */
  function show(problem) {
    const [alarm, status] = ["alarm", "status"].map((id) => document.getElementById(id));
    // The script runs before the body is parsed.
    if (!alarm || !status || !document.body) {
      document.addEventListener("DOMContentLoaded", () => show(problem), { once: true });
      return;
    }
    alarm.textContent = problem;
    alarm.hidden = false;
    alarm.removeAttribute("data-loading");
    document.body.dataset.state = status.dataset.state = "error";
    status.textContent = "not working";
  }

  /** The number of reloads since the page last worked. It is stored in the history, because the browser may refuse storage. */
  function reloads() {
    return Number(history.state?.reloads) || 0;
  }

  /**
   * Reload the page, up to MAX_RELOADS times.
   * @param {string} cause
   * @param {() => Promise<unknown>} [prepare] runs before the reload
   */
  function reload(cause, prepare = () => Promise.resolve()) {
    if (isReloading) return;
    const count = reloads() + 1;
    if (count > MAX_RELOADS) {
      fail(`${cause}. ${MAX_RELOADS} reloads did not help. Reload the page in a minute, or tell the operator of this site.`);
      return;
    }
    isReloading = true;
    fail(`${cause}. The page reloads by itself (${count} of ${MAX_RELOADS}) …`);
    prepare().then(() =>
      setTimeout(() => {
        try {
          history.replaceState({ reloads: count }, "");
        } catch {
          fail(`${cause}. Reload the page in a minute.`);
          return;
        }
        location.reload();
      }, FIRST_RELOAD_DELAY_MS * 2 ** (count - 1)),
    );
  }

  /**
   * Fetch the parts of this version until all are in the browser cache. A repeated request may reach a process of that version.
   * @returns {Promise<unknown>}
   */
  function fetchParts() {
    const links = /** @type {NodeListOf<HTMLLinkElement>} */ (document.querySelectorAll("link[rel=modulepreload], link[rel=stylesheet]"));
    return Promise.all([...links].map(({ href }) => fetchPart(href, MAX_FETCHES)));
  }

  /** @param {string} href @param {number} left @returns {Promise<unknown>} */
  async function fetchPart(href, left) {
    const response = await fetch(href).catch(() => null);
    if (response?.ok || left <= 1) return response?.arrayBuffer().catch(() => null);
    await new Promise((resolve) => setTimeout(resolve, FETCH_DELAY_MS));
    return fetchPart(href, left - 1);
  }

  /** Return the required features that this browser does not have. */
  function missingFeatures() {
    const features = [];
    if (!("noModule" in HTMLScriptElement.prototype)) features.push("modules");
    if (!canInflate()) features.push("DecompressionStream");
    for (const name of ["OffscreenCanvas", "ResizeObserver", "WebSocket"]) if (!(name in globalThis)) features.push(name);
    return features;
  }

  function canInflate() {
    try {
      return Boolean(new DecompressionStream("deflate-raw"));
    } catch {
      return false;
    }
  }

  /** @param {Event} event */
  function onError(event) {
    const { target } = event;
    const isPart = target instanceof HTMLScriptElement || (target instanceof HTMLLinkElement && target.rel === "stylesheet");
    if (isPart && !isReady) {
      reload("Parts of this page cannot be loaded, probably because the viz is being updated", fetchParts);
      return;
    }
    const { error, message } = /** @type {ErrorEvent} */ (event);
    if (target === window && !isReady && !start.problem) failWith(error, message);
  }

  /** @param {any} error @param {string} message */
  function failWith(error, message) {
    const text = error?.message ?? message;
    fail(error?.remedy ? `${text}. ${error.remedy}` : `The page cannot start: ${text}. Reload it, use another browser, or tell the operator of this site.`);
  }

  addEventListener("error", onError, true);
  const missing = missingFeatures();
  if (missing.length) {
    fail(`This browser has no ${missing.join(" and no ")}, which the page needs. Use a current one: Chrome or Edge 103, Firefox 113, Safari 16.4, or newer.`);
  }
  setTimeout(() => {
    if (isReady || start.problem) return;
    isSlow = true;
    fail("The page is still loading. The network or the viz may be slow: wait, or reload the page.");
  }, LOAD_TIMEOUT_MS);
})();
