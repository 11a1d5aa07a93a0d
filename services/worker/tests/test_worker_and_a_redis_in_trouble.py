"""Redis full, read-only, locked, or holding something else at a key: named, not ready, and over without a restart."""

import pytest
from redis.asyncio import Redis

from fixtures.processes import Processes, Service, tick_of
from fixtures.sim import CONFIG
from fixtures.users import selectors_of
from sector.state.keys import SimKeys

KEYS = SimKeys("default")


@pytest.fixture
def worker(processes: Processes, redis_url: str) -> Service:
    one = processes.start(
        "worker",
        wait=True,
        REDIS_URL=redis_url,
        TICK_DELAY="0.05",
        LEASE_TTL_MS="600",
        SIM_CONFIG=CONFIG.model_dump_json(),
    )
    one.wait_for(lambda health: tick_of(health) >= 2, "ticking")
    return one


def goes_on(worker: Service) -> None:
    """Wait until it is ready and ticks, the very process that was not."""
    worker.wait_until(ready=True)
    before = tick_of(worker.wait_for(lambda health: tick_of(health) >= 0, "holding"))
    worker.wait_for(lambda health: tick_of(health) > before, "ticking again")


async def test_full(worker: Service, redis: Redis) -> None:
    await redis.config_set("maxmemory", "1")
    try:
        worker.wait_for_fault("redis", "Redis is full")
    finally:
        await redis.config_set("maxmemory", "0")
    goes_on(worker)


async def test_read_only(worker: Service, redis: Redis) -> None:
    await redis.execute_command("REPLICAOF", "127.0.0.1", "1")
    try:
        worker.wait_for_fault("redis", "Redis is read-only")
    finally:
        await redis.execute_command("REPLICAOF", "NO", "ONE")
    goes_on(worker)


async def test_a_password_that_it_was_not_told(worker: Service, redis: Redis) -> None:
    await redis.execute_command("ACL", "SETUSER", "worker", "resetpass", ">other")
    try:
        await redis.execute_command("CLIENT", "KILL", "USER", "worker")
        worker.wait_for_fault("redis", "Redis wants a user and a password")
    finally:
        await redis.execute_command("ACL", "SETUSER", "worker", "resetpass", ">worker")
    goes_on(worker)
    assert worker.log.read_text().count("Redis wants a user") <= 2, "once per change, not once per retry"


async def test_a_right_that_it_has_not(worker: Service, redis: Redis) -> None:
    rights = selectors_of("worker")
    fewer = [each for each in rights if "+xadd " not in each]
    assert len(fewer) < len(rights)
    await redis.execute_command("ACL", "SETUSER", "worker", "clearselectors", *fewer)
    try:
        worker.wait_for_fault("sims", "the Redis user may not do this")
    finally:
        await redis.execute_command("ACL", "SETUSER", "worker", "clearselectors", *rights)
    goes_on(worker)


async def test_something_of_another_type_at_a_key(worker: Service, redis: Redis) -> None:
    await redis.rename(KEYS.events, "aside")
    await redis.set(KEYS.events, "something")
    worker.wait_for_fault("sims", "something of another type lies at a key")
    await redis.rename("aside", KEYS.events)
    goes_on(worker)
