/**
 * The start of the page: a script that needs none of the modules. It says why the page cannot start, and what to do, and reloads a
 * page whose parts are of another version. Every version of the viz serves it, so it must understand each index.html.
 */
(() => {
  const LOAD_WITHIN_MS = 8_000;
  const MAX_RELOADS = 4;
  const FIRST_RELOAD_MS = 500;
  const FETCHES = 6;
  const FETCH_PAUSE_MS = 300;

  let isReady = false;
  let isSlow = false;
  let isReloading = false;

  const start = {
    /** What keeps the page from working, with the remedy; empty while it works. */
    problem: "",
    /** The page runs. */
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
    // The script runs before the rest of the page is there.
    if (!alarm || !status || !document.body) {
      document.addEventListener("DOMContentLoaded", () => show(problem), { once: true });
      return;
    }
    alarm.textContent = problem;
    alarm.hidden = false;
    alarm.removeAttribute("data-loading");
    document.body.dataset.state = status.dataset.state = "fault";
    status.textContent = "not working";
  }

  /** How often the page was reloaded since it last worked. It lies in the history, because storage may be refused. */
  function reloads() {
    return Number(history.state?.reloads) || 0;
  }

  /**
   * Reload the page, a few times at most.
   * @param {string} cause
   * @param {() => Promise<unknown>} [prepare] what to do before
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
      }, FIRST_RELOAD_MS * 2 ** (count - 1)),
    );
  }

  /**
   * Fetch the parts of this version until each is in the cache of the browser: the next request may reach a process of that version.
   * @returns {Promise<unknown>}
   */
  function fetchParts() {
    const links = /** @type {NodeListOf<HTMLLinkElement>} */ (document.querySelectorAll("link[rel=modulepreload], link[rel=stylesheet]"));
    return Promise.all([...links].map(({ href }) => fetchPart(href, FETCHES)));
  }

  /** @param {string} href @param {number} left @returns {Promise<unknown>} */
  async function fetchPart(href, left) {
    const answer = await fetch(href).catch(() => null);
    if (answer?.ok || left <= 1) return answer?.arrayBuffer().catch(() => null);
    await new Promise((done) => setTimeout(done, FETCH_PAUSE_MS));
    return fetchPart(href, left - 1);
  }

  /** What the page needs, and this browser does not have. */
  function missing() {
    const lacks = [];
    if (!("noModule" in HTMLScriptElement.prototype)) lacks.push("modules");
    if (!inflates()) lacks.push("DecompressionStream");
    for (const name of ["OffscreenCanvas", "ResizeObserver", "WebSocket"]) if (!(name in globalThis)) lacks.push(name);
    return lacks;
  }

  function inflates() {
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
  const lacks = missing();
  if (lacks.length) {
    fail(`This browser has no ${lacks.join(" and no ")}, which the page needs. Use a current one: Chrome or Edge 103, Firefox 113, Safari 16.4, or newer.`);
  }
  setTimeout(() => {
    if (isReady || start.problem) return;
    isSlow = true;
    fail("The page is still loading. The network or the viz may be slow: wait, or reload the page.");
  }, LOAD_WITHIN_MS);
})();
