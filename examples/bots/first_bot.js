// A first bot for Sector. It needs only Node.js: node first_bot.js --api http://127.0.0.1:8000 --token TOKEN
const USAGE = "usage: node first_bot.js [--api URL] --token TOKEN [--faction NAME] (a world prints a token for Me)";
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Returns the answer of the API. A request may be sent twice, but its key makes an order take effect once. */
async function call({ api, token }, path, body) {
  const headers = { Authorization: `Bearer ${token}`, "Content-Type": "application/json" };
  const request = { headers: { ...headers, "Idempotency-Key": crypto.randomUUID() }, body: JSON.stringify(body) };
  for (const method = body ? "POST" : "GET"; ; await sleep(1000)) {
    const [status, text] = await fetch(api + path, { method, ...request, signal: AbortSignal.timeout(20_000) })
      .then(async (response) => [response.status, await response.text()])
      .catch((error) => [503, error.cause?.message || error.message]);
    if (status < 300) return JSON.parse(text);
    if (status === 409) process.exit(); // the world ended
    if (![429, 502, 503, 504].includes(status)) throw new Error(`${path}: ${text}`);
    console.log(`${path}: ${text}; trying again`);
  }
}

/** Yields orders for the borders: claim neutral neighbours, attack weak ones, add ships with what is left. */
function* choose(world, me, supply) {
  const systems = new Map(world.systems.map((system) => [system.id, system]));
  for (const { a, b, length } of world.lanes) {
    for (const [own, other] of [[systems.get(a), systems.get(b)], [systems.get(b), systems.get(a)]]) {
      const ships = other.ships + other.growth * length + 5;
      const border = own.owner === me && other.owner !== me;
      if (border && other.owner === null && supply >= 20 + other.ships) {
        yield { type: "set_owner", faction: me, system: other.id };
        [supply, other.owner] = [supply - 20 - other.ships, me];
      } else if (border && own.ships >= 2 * ships) {
        yield { type: "move_fleet", faction: me, system: own.id, target: other.id, ships };
        own.ships -= ships;
      } else if (border && supply >= 100) {
        yield { type: "add_fleet", faction: me, system: own.id, ships: 10 };
        supply -= 20;
      }
    }
  }
}

async function main({ parseArgs }) {
  const text = { type: "string" };
  const { values } = parseArgs({ options: { api: text, token: text, faction: text, help: { type: "boolean" } } });
  const { api = "http://127.0.0.1:8000", token, faction: me = "Me" } = values;
  if (values.help || !token) throw new Error(USAGE);
  const send = (path, body) => call({ api: api.replace(/\/+$/, ""), token }, path, body);
  const joined = await send(`/orders/${(await send("/orders", { type: "join", faction: me })).id}?wait=15s`);
  if (joined.status === "rejected" && joined.reason !== "already_joined") throw new Error(joined.detail);
  const { tick_length_ms } = await send(`/sims/${(await send("/snapshot")).sim}`);
  for (let world; (world = await send("/snapshot")).status === "running"; await sleep(tick_length_ms || 500)) {
    const faction = world.factions.find(({ id }) => id === me);
    if (faction && !faction.alive) throw new Error(`${me} lost all its systems`);
    const orders = [...choose(world, me, faction?.supply ?? 0)];
    const { results } = orders.length ? await send("/orders", orders) : { results: [] };
    console.log(`tick ${world.tick}: [${results.map(({ status }) => status).join(", ")}]`);
  }
}

import("node:util").then(main).catch(({ message }) => console.error(message) ?? process.exit(1));
