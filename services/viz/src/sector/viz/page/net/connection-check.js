/** Finds out over HTTP why the page cannot connect. A browser does not tell a page why a WebSocket failed. */

const TIMEOUT_MS = 4_000;
const SERVER_ERROR = 500;
const RETRY_NOTE = "The page tries again by itself.";

/** Return whether the viz serves another version of the page. Returns false if the viz cannot be asked. */
export async function isOtherVersion() {
  try {
    const { version } = await (await fetchCheck()).json();
    return typeof version === "string" && !import.meta.url.includes(`/${version}/`);
  } catch {
    return false;
  }
}

function fetchCheck() {
  const url = new URL("connection", location.href);
  url.hash = "";
  url.searchParams.set("origin", location.origin);
  return fetch(url, { cache: "no-store", signal: AbortSignal.timeout(TIMEOUT_MS) });
}

/**
 * Return why there is no connection, and what to do.
 * @param {boolean} polling whether the page may use HTTP long-polling if a WebSocket fails
 * @returns {Promise<string>}
 */
export async function checkConnection(polling) {
  if (navigator.onLine === false) return "This device is offline. The page connects by itself once it is online.";
  let response;
  try {
    response = await fetchCheck();
  } catch {
    return `The viz at ${location.host} cannot be reached. Check the network. ${RETRY_NOTE}`;
  }
  if (response.status >= SERVER_ERROR) return `The viz is not available: ${location.host} answers ${response.status}. ${RETRY_NOTE}`;
  const { refusal = "" } = response.ok ? await response.json().catch(() => ({})) : {};
  if (refusal) return `The viz refuses to connect: ${refusal}. ${RETRY_NOTE}`;
  const pollingHint = polling ? "" : ", or set POLLING=true for the viz";
  return `The viz answers, but a WebSocket to it cannot be opened. A proxy, a firewall or an extension may block it: try another network or browser. Operators: have the proxy forward Upgrade${pollingHint}. ${RETRY_NOTE}`;
}
