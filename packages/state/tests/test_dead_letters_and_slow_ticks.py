"""Conditions that must not stop a sim: invalid entries of the log, ticks slower than the lease, and rules that raise."""

from collections.abc import Sequence

import pytest
from redis import Redis as ThreadedRedis
from redis.asyncio import Redis
from redis.exceptions import ResponseError

from fixtures.sim import Sim
from fixtures.stored_values import read_stream
from sector.models import Join, LoggedOrder, Note, Step
from sector.state.errors import CommitConflict, LeaseLost, WorldFailed
from sector.state.keys import SimKeys
from sector.state.redis.connection import execute
from sector.state.redis.replies import as_bytes
from sector.state.sims import lifecycle
from sector.state.tick import lease
from sector.state.tick.transaction import Ticker
from sector.world import Position, SectorWorld

KEYS = SimKeys("default")


async def test_an_invalid_entry_becomes_a_dead_letter_and_others_are_applied(sim: Sim, redis: Redis) -> None:
    await sim.order(Join(faction="Me"))
    entries = ("hello world", "v 2 issuer x scope player order {}", "issuer x scope root order {}")
    strange = [as_bytes(await execute(redis, "XADD", KEYS.orders, "*", *entry.split())) or b"" for entry in entries]
    (note,) = await sim.order(Note(faction="Me", text="still here"))
    tick = await sim.tick()
    assert (tick.orders, tick.head.cursor) == (5, note)
    events = {event.get("order"): event for event in (await sim.reader.events((0, 0), 100)).events}
    rejected = [events[entry_id.decode()] for entry_id in strange]
    assert [(event["type"], event["reason"]) for event in rejected] == [("order_rejected", "malformed")] * 3
    assert [event["detail"] for event in rejected] == [
        "the entry is not an order: it lacks issuer, scope, order",
        "the entry has version 2, and this worker reads version 1",
        "the entry is not an order: it has the invalid scope 'root'",
    ]
    assert events[note]["type"] == "note"
    aside = [fields for _, fields in await read_stream(redis, KEYS.dead_letters)]
    assert [fields[b"entry"] for fields in aside] == strange
    assert (aside[0][b"hello"], aside[0][b"fault"]) == (
        b"world",
        b"the entry is not an order: it lacks issuer, scope, order",
    )
    await sim.tick()
    assert len(await read_stream(redis, KEYS.dead_letters)) == 3


_TTL_MS = 1500


def client_of_thread(redis: Redis) -> ThreadedRedis:
    """Return a client for the thread that computes a slow tick."""
    where = redis.connection_pool.connection_kwargs
    return ThreadedRedis(host=where["host"], port=where["port"])


class Slow(SectorWorld):
    """A world that takes longer than its lease: until three renewals, each after a third of the lease."""

    def __init__(self, redis: Redis) -> None:
        super().__init__()
        self._redis = redis

    def advance(self, state: Position, orders: Sequence[LoggedOrder]) -> Step[Position]:
        with client_of_thread(self._redis) as client:
            left_ms, extended = _TTL_MS, 0
            while extended < 3 and left_ms > 0:
                before_ms, left_ms = left_ms, int(client.pttl(KEYS.lease))
                extended += left_ms > before_ms
        return super().advance(state, orders)


async def slow_ticker(redis: Redis, world: SectorWorld) -> Ticker[Position]:
    await redis.delete(KEYS.lease)
    held = await lease.acquire(redis, "default", "slow", _TTL_MS)
    assert held is not None
    return Ticker(redis, world, *await lifecycle.load_manifest(redis, "default"), held)


async def test_a_tick_slower_than_its_lease_is_committed(sim: Sim, redis: Redis) -> None:
    ticker = await slow_ticker(redis, Slow(redis))
    (order_id,) = await sim.order(Join(faction="Me"))
    tick = await ticker.tick()
    assert (tick.head.tick, tick.head.cursor) == (1, order_id)


async def test_a_slow_tick_whose_lease_was_lost_is_not_committed(sim: Sim, redis: Redis) -> None:
    class Thief(SectorWorld):
        def advance(self, state: Position, orders: Sequence[LoggedOrder]) -> Step[Position]:
            with client_of_thread(redis) as other:
                other.set(KEYS.lease, "9:thief:x", px=60_000)
            return super().advance(state, orders)

    ticker = await slow_ticker(redis, Thief())
    with pytest.raises((LeaseLost, CommitConflict)):
        await ticker.tick()
    assert (await sim.reader.head()).tick == 0


async def test_rules_that_raise_are_an_error_and_nothing_is_written(sim: Sim, redis: Redis) -> None:
    class Broken(SectorWorld):
        def advance(self, state: Position, orders: Sequence[LoggedOrder]) -> Step[Position]:
            raise ZeroDivisionError("no such number")

    ticker = Ticker(redis, Broken(), *await lifecycle.load_manifest(redis, "default"), sim.lease)
    with pytest.raises(WorldFailed, match="sim 'default' failed at tick 1: ZeroDivisionError: no such number"):
        await ticker.tick()
    assert (await sim.tick()).head.tick == 1


@pytest.mark.parametrize("name", ["head", "orders", "events", "snapshot", "lease"])
async def test_a_key_of_another_type_prevents_a_partial_commit(sim: Sim, redis: Redis, name: str) -> None:
    await sim.tick(Join(faction="Me"))
    key = getattr(KEYS, name)
    await redis.rename(key, "aside")
    await redis.sadd(key, "something")
    before = await sim.reader.head() if name != "head" else None
    sim.ticker._states.clear()
    with pytest.raises((ResponseError, LeaseLost)):
        await sim.tick()
    if before is not None:
        assert await sim.reader.head() == before
    await redis.rename("aside", key)
    assert (await sim.tick()).head.tick == 2
