/** The world that the tests run against. Its addresses and tokens come from the environment. */

import { createServer } from "node:http";

import { Client } from "sector-client";

export const url = process.env.API_URL;
export const token = process.env.API_TOKEN;
export const adminToken = process.env.ADMIN_TOKEN;
export const FACTION = "Me";

/** Returns a client of the player. */
export function player(options = {}) {
  return new Client(url, { token, ...options });
}

/** Returns a note that no other test submits. */
export function note(text) {
  return { type: "note", faction: FACTION, text: `${text} ${Math.random()}` };
}

/** Submits an order, and returns its result as soon as it is known. */
export async function applied(client, order) {
  const status = await client.orderStatus(await client.order(order), { waitMs: 20_000 });
  if (status.status !== "applied") throw new Error(`not applied: ${JSON.stringify(status)}`);
  return status;
}

/** Returns all notes with a text that happened at or after tick `from`, oldest first. */
export async function notes(client, text, from) {
  const events = [];
  for (let after = `${from}-0`, more = true; more; ) {
    const page = await client.events({ after, types: ["note"] });
    events.push(...page.events.filter((event) => event.text === text));
    ({ next: after, more } = page);
  }
  return events;
}

/** Returns an address at which nothing listens. */
export async function unusedUrl() {
  const server = createServer();
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return `http://127.0.0.1:${port}`;
}
