import assert from "node:assert/strict";
import { before, test } from "node:test";

import { ApiError, Client, UnavailableError } from "sector-client";

import { FACTION, adminToken, applied, note, player, token, unusedUrl, url } from "./world.js";

before(async () => {
  const client = player();
  const { factions } = await client.snapshot();
  if (!factions.some(({ id }) => id === FACTION)) await applied(client, { type: "join", faction: FACTION });
});

test("a snapshot has rows", async () => {
  const snapshot = await player().snapshot();
  assert.equal(snapshot.sim, "default");
  assert.ok(snapshot.systems.length > 1);
  assert.equal(typeof snapshot.systems[0].ships, "number");
  assert.ok(snapshot.factions.some(({ id }) => id === FACTION));
});

test("a snapshot that did not change is the same object and is not sent again", async () => {
  const statuses = [];
  const client = player({
    fetch: async (request, init) => {
      const response = await fetch(request, init);
      statuses.push(response.status);
      return response;
    },
  });
  for (;;) {
    const earlier = await client.snapshot();
    const later = await client.snapshot();
    if (later.tick !== earlier.tick) continue;
    assert.equal(later, earlier);
    assert.equal(statuses.at(-1), 304);
    break;
  }
});

test("a snapshot of an earlier tick does not replace the newest", async () => {
  const client = player();
  const { tick, state_hash } = await client.snapshot();
  const { tick: later } = await applied(client, note("wait"));
  assert.ok(later > tick);
  const earlier = await client.snapshot({ tick });
  assert.deepEqual([earlier.tick, earlier.state_hash], [tick, state_hash]);
  assert.ok((await client.snapshot()).tick >= later);
});

test("an applied order has events with its id", async () => {
  const client = player();
  const id = await client.order(note("hello"));
  const status = await client.orderStatus(id, { waitMs: 20_000 });
  assert.equal(status.status, "applied");
  assert.equal(status.events[0].type, "note");
  assert.equal(status.events[0].order, id);
});

test("an order that breaks a rule is rejected with a reason", async () => {
  const client = player();
  const id = await client.order({ type: "join", faction: FACTION });
  const status = await client.orderStatus(id, { waitMs: 20_000 });
  assert.deepEqual([status.status, status.reason], ["rejected", "already_joined"]);
});

test("an order with a repeated idempotency key is stored once", async () => {
  const [client, key, order] = [player(), `key-${Math.random()}`, note("twice")];
  const ids = [await client.order(order, { key }), await client.order(order, { key })];
  assert.equal(ids[0], ids[1]);
  await assert.rejects(client.order(note("another"), { key }), (error) => error.problem.status === 422);
});

test("a list of orders has an id or an error for each order", async () => {
  const results = await player().orders([note("first"), { type: "note", faction: FACTION, text: "" }, note("third")]);
  assert.match(results[0], /^\d+-\d+$/);
  assert.ok(results[1] instanceof ApiError);
  assert.deepEqual(results[1].problem.errors.map(({ field }) => field), ["text"]);
  assert.match(results[2], /^\d+-\d+$/);
});

test("an error contains the problem document", async () => {
  const rejections = [
    [() => player().order({ type: "note", faction: FACTION, text: 7 }), 422],
    [() => player({ token: "" }).order(note("without a token")), 401],
    [() => player({ token: "nonsense" }).order(note("with a bad token")), 401],
    [() => player().order({ ...note("for another"), faction: "Crimson" }), 403],
    [() => player().createSim("mine"), 403],
    [() => player({ sim: "missing" }).snapshot(), 404],
    [() => player().orderStatus("1-1"), 404],
    [() => player().snapshot({ tick: 10 ** 9 }), 404],
  ];
  for (const [request, status] of rejections) {
    await assert.rejects(request(), (error) => {
      assert.ok(error instanceof ApiError, String(error));
      assert.equal(error.problem.status, status);
      assert.ok(error.message.startsWith(`${status} ${error.problem.title}`));
      return true;
    });
  }
});

test("events come in pages", async () => {
  const client = player();
  const from = (await client.snapshot()).tick;
  const texts = ["one", "two", "three"].map(note);
  for (const each of texts) await applied(client, each);
  const events = [];
  for (let after = `${from}-0`, more = true; more; ) {
    const page = await client.events({ after, types: ["note"], faction: FACTION, limit: 1 });
    assert.ok(page.events.length <= 1);
    events.push(...page.events);
    ({ next: after, more } = page);
  }
  assert.deepEqual(
    events.map(({ text }) => text).filter((text) => texts.some((each) => each.text === text)),
    texts.map(({ text }) => text),
  );
});

test("a client without a sim id reads the tick length of its sim", async () => {
  const details = await player().sim();
  assert.deepEqual([details.id, details.status, details.tick_length_ms], ["default", "running", 50]);
  assert.equal((await player().sim("default")).config.seed, details.config.seed);
  const page = await player().sims({ limit: 1 });
  assert.equal(page.sims[0].id, "default");
  assert.ok((await player().sims({ after: "default" })).sims.every(({ id }) => id > "default"));
});

test("an administrator creates and forks a sim", async () => {
  const admin = new Client(url, { token: adminToken });
  assert.equal((await admin.createSim("mine", { systems: 30, seed: 9, puppets: ["Azure"] })).status, "founding");
  const mine = new Client(url, { token, sim: "mine" });
  for (;;) {
    const details = await mine.sim("mine");
    if (details.status === "running" && details.tick > 0) break;
  }
  assert.equal((await mine.snapshot()).systems.length, 30);
  assert.equal((await new Client(url, { token: adminToken, sim: "mine" }).fork("copy", { tick: 0 })).id, "copy");
  await assert.rejects(admin.createSim("mine"), (error) => error.problem.status === 409);
});

test("an error for an unreachable API states the reason", async () => {
  const unused = await unusedUrl();
  const client = new Client(unused, { retryTimeoutMs: 100 });
  await assert.rejects(client.snapshot(), (error) => {
    assert.ok(error instanceof UnavailableError);
    assert.match(error.message, /is unreachable: .*ECONNREFUSED/);
    assert.ok(error.message.startsWith(`${unused}/snapshot`));
    return error.cause instanceof Error;
  });
});

test("an invalid address or token is rejected at once, without a quote", () => {
  for (const address of ["127.0.0.1:8000", "localhost:8000", "/api", "ftp://127.0.0.1", "", "http://"]) {
    assert.throws(() => new Client(address), /^TypeError: url: .* is not an address such as http/);
  }
  assert.throws(() => new Client("http://me:secret@127.0.0.1"), (error) => !/secret/.test(error.message));
  for (const wrong of ["abc\nSECRET", "SECRET…", "SECRET token"]) {
    assert.throws(() => new Client(url, { token: wrong }), (error) => /^token: /.test(error.message) && !/SECRET/.test(error.message));
  }
});

test("waitMs extends the retry timeout", async () => {
  const client = player({ retryTimeoutMs: 0, timeoutMs: 1_000 });
  const { status } = await client.orderStatus(await client.order(note("patience")), { waitMs: 20_000.5 });
  assert.equal(status, "applied");
});

test("a trailing slash in the address is ignored", async () => {
  assert.equal((await new Client(`${url}//`).snapshot()).sim, "default");
});
