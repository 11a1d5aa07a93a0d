"""The clock of Redis was set back, or a value is invalid: impossible times and damaged values do not block anything."""

import time
from collections.abc import Sequence

import pytest
from redis.asyncio import Redis

from fixtures.sim import Sim
from fixtures.users import as_user
from sector.state.errors import RateLimited
from sector.state.keys import WORKERS, SimKeys
from sector.state.log.admission import AdmissionPolicy, AdmissionResult, Admitted, Rate, Request
from sector.state.log.rate_usage import Spent, spend
from sector.state.redis.client import connect
from sector.state.tick import lease, membership

KEYS = SimKeys("default")
RATE = Rate("address 10.0.0.1", 10.0, 5)
HOUR_US = 3600 * 1_000_000
TTL_MS = 5000


async def submit(redis: Redis, number: int = 1, key: str | None = None) -> Sequence[AdmissionResult]:
    gate = AdmissionPolicy("default")
    async with gate.acquire_connection(redis) as connection:
        return await gate.admit(connection, [Request("me", [b"{}"] * number, rates=(RATE,), key=key)])


@pytest.mark.parametrize(
    "value", [str(int(time.time() * 1e6) + HOUR_US), "inf", "nan", "1e300", "-1", "x", "", b"\xff", "9" * 400]
)
async def test_an_impossible_rate_usage_is_ignored(sim: Sim, redis: Redis, value: str | bytes) -> None:
    assert sim.lease.epoch == 1
    await redis.set(KEYS.rate(RATE.client), value)
    await redis.set(KEYS.rate("stored me"), value)
    assert isinstance((await submit(redis, key="one"))[0], Admitted)
    assert await redis.pttl(KEYS.rate(RATE.client)) < 60_000


async def test_a_rate_key_of_another_type_does_not_block_orders(sim: Sim, redis: Redis) -> None:
    assert sim.lease.epoch == 1
    for key in (KEYS.rate(RATE.client), KEYS.rate("stored me"), KEYS.idempotency_key("me", "one")):
        await redis.sadd(key, "x")
    (first,) = await submit(redis, key="one")
    (again,) = await submit(redis, key="one")
    assert isinstance(first, Admitted)
    assert isinstance(again, Admitted)
    assert (again.ids, again.replayed) == (first.ids, True)


async def test_a_rate_at_its_limit_still_rejects_orders(sim: Sim, redis: Redis) -> None:
    assert sim.lease.epoch == 1
    assert isinstance((await submit(redis, 200))[0], Admitted), "more than are let in at once, since none are owed"
    (refused,) = await submit(redis)
    assert isinstance(refused, RateLimited)
    assert 15 < refused.retry_after_s < 20


@pytest.mark.parametrize("value", [str(int(time.time() * 1e6) + HOUR_US), "nan", "x"])
async def test_an_impossible_storage_usage_is_ignored(sim: Sim, redis: Redis, value: str) -> None:
    assert sim.lease.epoch == 1
    await redis.set(KEYS.rate("reads"), value)
    assert await spend(redis, "default", [Spent("reads", 10.0, 5.0)]) == [0.5]
    assert await spend(redis, "default", [Spent("reads", 10.0, 1e9)]) == [100]


@pytest.mark.parametrize("ttl_ms", [3_600_000, 600_000, TTL_MS + 1000, None])
async def test_a_lease_that_lasts_too_long_is_shortened(
    sim: Sim, redis: Redis, redis_url: str, ttl_ms: int | None
) -> None:
    if ttl_ms is None:
        await redis.persist(KEYS.lease)
    else:
        await redis.pexpire(KEYS.lease, ttl_ms)
    worker = connect(as_user(redis_url, "worker"))
    await lease.shorten(worker, ["default", "nowhere"], TTL_MS)
    assert 0 < await redis.pttl(KEYS.lease) <= TTL_MS
    await lease.renew(redis, sim.lease)
    left_ms = await redis.pttl(KEYS.lease)
    await lease.shorten(worker, ["default"], sim.lease.ttl_ms)
    assert 0 < await redis.pttl(KEYS.lease) <= left_ms
    await worker.aclose()


async def test_a_heartbeat_from_the_future_expires_after_its_normal_time(redis: Redis, redis_url: str) -> None:
    worker = connect(as_user(redis_url, "worker"))
    now_ms = time.time() * 1000
    await redis.zadd(WORKERS, {"default ghost:1": now_ms + 3_600_000, "default other:2": now_ms + 1000, "x": 2.0**60})
    assert set(await membership.heartbeat(worker, "default", "me:3", TTL_MS)) == {"ghost:1", "other:2", "me:3"}
    assert await redis.zcount(WORKERS, now_ms + TTL_MS + 10_000, "+inf") == 0
    assert await redis.zscore(WORKERS, "default other:2") == pytest.approx(now_ms + 1000, abs=1)
    await worker.aclose()
