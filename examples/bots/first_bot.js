const USAGE = `usage: node first_bot.js --token TOKEN [--api http://127.0.0.1:8000] [--faction Me]
A first bot for Sector, which needs only Node.js. It plays a faction until the world ends. A world prints a token.
example: node first_bot.js --api http://127.0.0.1:8000 --token TOKEN`;
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Returns the answer of the API. A request may be sent twice, but orders with the same key take effect once. */
async function call({ api, token }, path, body, key = String(Math.random())) {
  const headers = { Authorization: `Bearer ${token}`, "Content-Type": "application/json", "Idempotency-Key": key };
  const request = { method: body ? "POST" : "GET", headers, body: JSON.stringify(body) };
  for (; ; await sleep(1000)) {
    const [status, text] = await fetch(api + path, { ...request, signal: AbortSignal.timeout(20_000) })
      .then(async (response) => [response.status, await response.text()])
      .catch((error) => [503, error.cause?.message || error.message]);
    if (status < 300) return JSON.parse(text);
    console.log(`${api}${path}: ${text}`);
    if (![429, 502, 503, 504].includes(status)) process.exit(status === 409 ? 0 : 1); // 409: the world ended
  }
}

/** Yields orders for the borders: claim neutral neighbours while the supply lasts, and attack weak ones. */
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
      }
    }
  }
}

async function main({ parseArgs }) {
  const text = { type: "string" };
  const { values } = parseArgs({ options: { api: text, token: text, faction: text, help: { type: "boolean" } } });
  const { api = "http://127.0.0.1:8000", token, faction: me = "Me" } = values;
  if (values.help) return console.log(USAGE);
  if (!token) throw new Error(USAGE);
  const send = (...request) => call({ api: new URL(api).href.replace(/\/+$/, ""), token }, ...request);
  const { id: join } = await send("/orders", { type: "join", faction: me });
  const joined = await send(`/orders/${join}?wait=15s`);
  if (joined.status === "rejected" && joined.reason !== "already_joined") throw new Error(joined.detail);
  const { tick_length_ms } = await send(`/sims/${(await send("/snapshot")).sim}`);
  let world;
  for (; (world = await send("/snapshot")).status === "running"; await sleep(tick_length_ms || 500)) {
    const { alive = true, supply = 0 } = world.factions.find(({ id }) => id === me) ?? {};
    const orders = [...choose(world, me, supply)];
    console.log(`tick ${world.tick}, ${alive ? "" : "eliminated, "}${orders.length} orders`);
    if (orders.length) await send("/orders", orders, `${join}-${world.tick}`);
  }
  console.log(`The world ended at tick ${world.tick}. The winner: ${world.winner}`);
}

import("node:util").then(main).catch(({ message }) => console.error(message) ?? process.exit(1));
