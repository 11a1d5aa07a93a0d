"""Errors of Redis: each is reported, makes the worker unready, and ends without a restart."""

import time

import pytest
from redis.asyncio import Redis

from fixtures.own_valkey import OwnValkey
from fixtures.processes import Processes, Service, tick_of
from fixtures.sim import CONFIG
from fixtures.users import selectors_of
from sector.state.keys import WORKERS, SimKeys
from sector.state.redis.client import connect

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
    """Wait until the same process is ready again and ticks."""
    worker.wait_until(ready=True)
    before = tick_of(worker.wait_for(lambda health: tick_of(health) >= 0, "holding"))
    worker.wait_for(lambda health: tick_of(health) > before, "ticking again")


async def test_a_full_redis_is_reported_until_it_has_room(worker: Service, redis: Redis) -> None:
    await redis.config_set("maxmemory", "1")
    try:
        worker.wait_for_fault("redis", "Redis is full")
    finally:
        await redis.config_set("maxmemory", "0")
    goes_on(worker)


async def test_a_full_disk_is_reported_until_it_has_room(processes: Processes, own_valkey: OwnValkey) -> None:
    own_valkey.start()
    redis = connect(own_valkey.url)
    assert isinstance(redis, Redis)
    settings = {"TICK_DELAY": "0.05", "LEASE_TTL_MS": "600", "SIM_CONFIG": CONFIG.model_dump_json()}
    one = processes.start("worker", wait=True, REDIS_URL=own_valkey.url, **settings)
    one.wait_for(lambda health: tick_of(health) >= 2, "ticking")
    await own_valkey.fail_disk(redis)
    one.wait_for_fault("redis", "it cannot write to its disk")
    one.wait_until(ready=False)
    await own_valkey.mend_disk(redis)
    goes_on(one)
    await redis.aclose()


async def test_a_read_only_redis_is_reported_until_it_accepts_writes(worker: Service, redis: Redis) -> None:
    await redis.execute_command("REPLICAOF", "127.0.0.1", "1")
    try:
        worker.wait_for_fault("redis", "Redis is read-only")
    finally:
        await redis.execute_command("REPLICAOF", "NO", "ONE")
    goes_on(worker)


async def test_a_changed_password_is_reported(worker: Service, redis: Redis) -> None:
    await redis.execute_command("ACL", "SETUSER", "worker", "resetpass", ">other")
    try:
        await redis.execute_command("CLIENT", "KILL", "USER", "worker")
        worker.wait_for_fault("redis", "Redis rejected the user or the password")
    finally:
        await redis.execute_command("ACL", "SETUSER", "worker", "resetpass", ">worker")
    goes_on(worker)
    assert worker.log.read_text().count("Redis rejected the user") <= 2, "once per change, not once per retry"


async def test_a_missing_permission_is_reported(worker: Service, redis: Redis) -> None:
    rights = selectors_of("worker")
    fewer = [each for each in rights if "+xadd " not in each]
    assert len(fewer) < len(rights)
    await redis.execute_command("ACL", "SETUSER", "worker", "clearselectors", *fewer)
    try:
        worker.wait_for_fault("sims", "the Redis user lacks a permission")
    finally:
        await redis.execute_command("ACL", "SETUSER", "worker", "clearselectors", *rights)
    goes_on(worker)


async def test_a_key_of_another_type_is_reported(worker: Service, redis: Redis) -> None:
    await redis.rename(KEYS.events, "aside")
    await redis.set(KEYS.events, "something")
    worker.wait_for_fault("sims", "a key of this sim has another type")
    await redis.rename("aside", KEYS.events)
    goes_on(worker)


@pytest.mark.parametrize("ahead_ms", [3_600_000, 30_000, None])
async def test_a_backward_clock_step_delays_no_sim(
    worker: Service, processes: Processes, redis: Redis, redis_url: str, ahead_ms: int | None
) -> None:
    """The lease and the membership entry of a stopped worker expire far in the future, or never."""
    (entry,) = await redis.zrange(WORKERS, 0, -1)
    worker.process.kill()
    worker.process.wait()
    if ahead_ms is None:
        await redis.persist(KEYS.lease)
    else:
        await redis.pexpire(KEYS.lease, ahead_ms)
    await redis.execute_command("ZADD", WORKERS, int(time.time() * 1000) + (ahead_ms or 3_600_000), entry)
    assert await redis.exists(KEYS.lease)
    began_s = time.monotonic()
    second = processes.start(
        "worker", wait=False, REDIS_URL=redis_url, TICK_DELAY="0.05", LEASE_TTL_MS="600", WORKER_ID="second"
    )
    second.wait_for(lambda health: tick_of(health) >= 2, "ticking")
    assert time.monotonic() - began_s < 20, "some lifetimes of a lease, and not the time that the clock was set back"


async def test_a_damaged_list_of_workers_is_reported_and_the_sims_are_ticked(worker: Service, redis: Redis) -> None:
    await redis.delete(WORKERS)
    await redis.set(WORKERS, "no list")
    worker.wait_for(lambda health: "is damaged" in health["conditions"].get("roster", {}).get("error", ""), "saying so")
    goes_on(worker)
    await redis.delete(WORKERS)
    worker.wait_for(lambda health: health["conditions"]["roster"]["ok"], "well again")


async def test_a_damaged_list_of_sims_does_not_stop_the_named_sims(
    processes: Processes, redis: Redis, redis_url: str
) -> None:
    await redis.set("sims", "no list")
    one = processes.start("worker", wait=False, REDIS_URL=redis_url, SIM_ID="default,*", TICK_DELAY="0.05")
    one.wait_for(
        lambda health: "is damaged" in health["conditions"].get("list of sims", {}).get("error", ""), "saying so"
    )
    await redis.delete("sims")
    one.wait_for(lambda health: health["conditions"]["list of sims"]["ok"], "well again")
    goes_on(one)
