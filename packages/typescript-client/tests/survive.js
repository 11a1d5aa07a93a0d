/** Sends notes and follows their events while the test kills the API whenever this prints `kill`. Fails if a note is missing or is there twice. */

import assert from "node:assert/strict";

import { FACTION, applied, player } from "./world.js";

const COUNT = 40;
const client = player({ retryTimeoutMs: 60_000 });
const { tick } = await client.snapshot();
await applied(client, { type: "join", faction: FACTION });

const texts = Array.from({ length: COUNT }, (_, number) => `note ${number}`);
const received = [];
const following = (async () => {
  for await (const event of client.follow({ after: `${tick}-0`, types: ["note"] })) {
    assert.equal(event.type, "note");
    received.push(event.text);
    if (event.text === texts.at(-1)) return;
  }
})();
for (const [number, text] of texts.entries()) {
  if (number % 10 === 5) console.log("kill");
  await client.order({ type: "note", faction: FACTION, text });
}
await following;
assert.deepEqual(received, texts);
