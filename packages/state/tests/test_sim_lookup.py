"""Lookups of sims share one round trip at a time, and connection pools are bounded."""

import asyncio
from unittest.mock import patch

import pytest
from redis.asyncio import Redis
from redis.exceptions import ConnectionError as RedisConnectionError

from fixtures.sim import CONFIG, Sim
from sector.state.errors import SimNotFound
from sector.state.keys import SimKeys
from sector.state.redis import pool
from sector.state.redis.client import connect
from sector.state.redis.connection import execute
from sector.state.redis.error_messages import describe
from sector.state.redis.pool import BoundedPool, PoolExhausted
from sector.state.sims import lifecycle
from sector.state.sims.lookup import SimLookup
from sector.world import SectorWorld


async def test_many_lookups_share_one_round_trip_at_a_time(sim: Sim, redis: Redis) -> None:
    assert sim.lease.epoch == 1
    exist, running, calls = lifecycle.exist, 0, 0

    async def counted(*args: object) -> object:
        nonlocal running, calls
        running, calls = running + 1, calls + 1
        assert running == 1
        result = await exist(*args)  # type: ignore[arg-type]  # (as it was called)
        running -= 1
        return result

    lookups = SimLookup(redis)
    with patch.object(lifecycle, "exist", counted):
        results = await asyncio.gather(
            *(lookups.require(f"fake-{number % 300}") for number in range(3_000)),
            *(lookups.require("default") for _ in range(100)),
            return_exceptions=True,
        )
    assert [type(each) for each in results[:3_000]] == [SimNotFound] * 3_000
    assert results[3_000:] == [None] * 100
    assert calls <= 5


async def test_a_new_sim_is_visible_at_once(redis: Redis) -> None:
    lookups = SimLookup(redis)
    for number in range(3):
        name = f"new-{number}"
        with pytest.raises(SimNotFound):
            await lookups.require(name)
        waiting = asyncio.create_task(lookups.require(name))
        await lifecycle.create(redis, name, SectorWorld(), CONFIG)
        await lookups.require(name)
        await asyncio.gather(waiting, return_exceptions=True)


@pytest.mark.parametrize("field", ["tick", "cursor"])
async def test_an_invalid_sim_exists_nonetheless(redis: Redis, sim: Sim, field: str) -> None:
    assert sim.lease.epoch == 1
    await redis.hset(SimKeys("default").head, field, "garbage")
    await SimLookup(redis).require("default")
    await redis.set(SimKeys("wrong").head, "of another type")
    await SimLookup(redis).require("wrong")
    # A worker may have acquired its lease before its creation.
    await redis.hset(SimKeys("later").head, "epoch", 1)
    with pytest.raises(SimNotFound):
        await SimLookup(redis).require("later")


async def test_an_error_of_redis_is_raised_to_all_and_the_next_lookup_retries(redis: Redis, sim: Sim) -> None:
    lookups = SimLookup(redis)

    async def fail(*_: object) -> None:
        raise RedisConnectionError("away")

    with patch.object(lifecycle, "exist", fail):
        results = await asyncio.gather(*(lookups.require("default") for _ in range(5)), return_exceptions=True)
    assert [type(each) for each in results] == [RedisConnectionError] * 5
    assert sim.lease.epoch == 1
    await lookups.require("default")


async def test_a_command_waits_for_a_connection_and_none_is_added(redis_url: str) -> None:
    client = connect(redis_url, max_connections=3)
    assert isinstance(client, Redis)
    bounded = client.connection_pool
    assert isinstance(bounded, BoundedPool)
    await asyncio.gather(*(execute(client, "GET", "sim:{x}:head") for _ in range(50)))
    assert bounded.open_connections <= 3
    await client.aclose()


async def test_a_command_fails_if_no_connection_becomes_free_in_time(redis_url: str) -> None:
    client = connect(redis_url, timeout_s=0.2, max_connections=2)
    assert isinstance(client, Redis)
    held = [await client.connection_pool.get_connection() for _ in range(2)]
    with pytest.raises(PoolExhausted) as error:
        await execute(client, "GET", "sim:{x}:head")
    assert (error.value.max_connections, describe(error.value)) == (
        2,
        "all connections of this process to Redis are in use: wait, or add processes",
    )
    for connection in held:
        await client.connection_pool.release(connection)
    assert await execute(client, "GET", "sim:{x}:head") is None
    await client.aclose()


async def test_a_slot_becomes_free_after_any_result_of_its_command(redis_url: str) -> None:
    client = connect(redis_url, timeout_s=5, max_connections=1)
    for _ in range(5):
        blocked = asyncio.create_task(execute(client, "BLPOP", "nothing", 0))
        await asyncio.sleep(0)
        blocked.cancel()
        await asyncio.gather(blocked, return_exceptions=True)
    assert await execute(client, "GET", "sim:{x}:head") is None
    await client.aclose()
    away = connect("redis://127.0.0.1:1/0", max_connections=1)
    for _ in range(5):
        with pytest.raises(RedisConnectionError, match="127.0.0.1"):
            await execute(away, "GET", "sim:{x}:head")


async def test_idle_connections_are_closed_and_the_busy_one_is_not(
    redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool, "IDLE_S", 0.05)
    monkeypatch.setattr(pool, "_TRIM_EVERY_S", 0.0)
    client = connect(redis_url)
    assert isinstance(client, Redis)
    bounded = client.connection_pool
    assert isinstance(bounded, BoundedPool)
    held = [await bounded.get_connection() for _ in range(20)]
    for connection in held:
        await bounded.release(connection)
    assert bounded.open_connections == 20
    async with asyncio.timeout(60):
        while bounded.open_connections > 1:
            await execute(client, "GET", "sim:{x}:head")
    assert sum(connection.is_connected for connection in held) <= 1
    assert len(bounded._idle_since) <= 1
    await client.aclose()
