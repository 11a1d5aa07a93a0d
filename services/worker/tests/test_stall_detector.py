"""A sim without ticks: the worker that should tick it is not ready, and `/health` says why and since when."""

import asyncio
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from redis.asyncio import Redis

from fixtures.faulty_proxy import FaultyProxy
from fixtures.processes import Processes, Service, tick_of
from fixtures.sim import CONFIG
from fixtures.waiting import wait_until
from sector.models import SimConfig
from sector.state.keys import WORKERS, SimKeys
from sector.state.redis.client import Client
from sector.state.sims import lifecycle
from sector.state.watch.reader import SimReader
from sector.worker.stall_detector import StallDetector
from sector.world import SectorWorld

KEYS = SimKeys("default")
HOUR_MS = 3_600_000
SETTINGS = {"TICK_DELAY": "0.05", "LEASE_TTL_MS": "600", "SIM_CONFIG": CONFIG.model_dump_json()}


def worker(processes: Processes, redis_url: str, name: str, **settings: str) -> Service:
    return processes.start("worker", wait=True, REDIS_URL=redis_url, WORKER_ID=name, **{**SETTINGS, **settings})


@asynccontextmanager
async def again_and_again(act: Callable[[], Awaitable[object]]) -> AsyncIterator[None]:
    """Repeat an action until the end of the block."""

    async def repeat() -> None:
        while True:
            await act()
            await asyncio.sleep(0)

    task = asyncio.create_task(repeat())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def says_does_not_tick(health: dict[str, object]) -> bool:
    return "which does not tick it" in str(health["conditions"])


async def test_a_dead_worker_with_a_long_lease_is_reported_or_replaced(
    processes: Processes, redis: Redis, redis_url: str
) -> None:
    """A lease as it is after a backward step of the clock of Redis."""
    one = worker(processes, redis_url, "one")
    one.wait_for(lambda health: tick_of(health) >= 2, "ticking")
    two = worker(processes, redis_url, "two")
    one.end(signal.SIGKILL)
    await redis.pexpire(KEYS.lease, HOUR_MS)
    for member in await redis.zrange(WORKERS, 0, -1):
        await redis.execute_command("ZADD", WORKERS, "INCR", HOUR_MS, member)
    stands_at = (await SimReader(redis, "default").head()).tick
    two.wait_for(lambda health: says_does_not_tick(health) or tick_of(health) > stands_at, "unready, or ticking")
    await redis.delete(KEYS.lease)
    two.wait_for(lambda health: tick_of(health) > stands_at and health["ready"], "ticking")


async def test_a_sim_is_stalled_if_its_owner_renews_without_ticking(
    processes: Processes, redis: Redis, redis_url: str
) -> None:
    one = worker(processes, redis_url, "one")
    one.wait_for(lambda health: tick_of(health) >= 2, "ticking")
    two = worker(processes, redis_url, "two")
    one.process.send_signal(signal.SIGSTOP)
    async with again_and_again(lambda: redis.pexpire(KEYS.lease, 600)):
        health = await asyncio.to_thread(two.wait_for, lambda health: not health["ready"], "unready")
    fault = health["conditions"]["sims"]
    assert fault["error"] == "its lease is owned by worker one, which does not tick it"
    assert fault["detail"].startswith("1 sims, such as default")
    assert fault["since_ms"] > 0
    two.wait_for(lambda health: tick_of(health) > 0 and health["ready"], "ticking")
    wait_until(lambda: two.log.read_text().count("which does not tick it") == 1, "the line, once")


async def test_a_sim_is_stalled_if_its_lease_expires_before_each_tick(
    processes: Processes, redis: Redis, redis_url: str
) -> None:
    """A Redis with a latency above the lifetime of a lease."""
    async with FaultyProxy(redis_url) as proxy:
        one = await asyncio.to_thread(worker, processes, proxy.url, "one", LEASE_TTL_MS="100")
        await asyncio.to_thread(one.wait_for, lambda health: tick_of(health) >= 2, "ticking")
        slow = asyncio.create_task(proxy.slow(0.15, 60))
        await asyncio.to_thread(one.wait_for_fault, "sims", "this worker does not tick a sim that it may tick")
        await asyncio.to_thread(one.wait_until, ready=False)
        slow.cancel()
        await asyncio.to_thread(one.wait_until, ready=True)
        wait_until(lambda: '"lease lost"' in one.log.read_text(), "the line")
        assert await redis.exists(KEYS.head)
        assert await asyncio.to_thread(one.end) == 0


class Clock:
    """A clock in seconds that the test sets."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        self.now_s += 1.0
        return self.now_s


def watching(redis: Client, *, lease_ttl_s: float = 1.0) -> StallDetector:
    return StallDetector(redis, "me:1", lease_ttl_s=lease_ttl_s, tick_delay_s=1.0, clock=Clock())


async def test_only_a_sim_that_does_not_tick_is_stalled(redis: Redis) -> None:
    await lifecycle.create(redis, "a", SectorWorld(), SimConfig(systems=10))
    detector = watching(redis)
    holders = {"a": "other:1", "none": None}
    looks = 0
    while not detector.errors:
        looks += 1
        assert await detector.check(holders, ()) == {"none"}
    assert looks == 8, "its lease, three ticks, and two seconds"
    assert detector.errors == {"a": "its lease is owned by worker other, which does not tick it"}
    await redis.hset(SimKeys("a").head, "tick", 1)
    assert await detector.check(holders, ()) == {"a", "none"}
    assert detector.errors == {}
    await redis.hset(SimKeys("a").head, "status", "finished")
    for _ in range(20):
        assert await detector.check(holders, ()) == {"a", "none"}


async def test_time_without_redis_and_deleted_sims_do_not_count(redis: Redis) -> None:
    await lifecycle.create(redis, "a", SectorWorld(), SimConfig(systems=10))
    detector = watching(redis)
    for _ in range(20):
        detector.reset()
        await detector.check({"a": "other:1"}, ())
    assert detector.errors == {}
    for _ in range(20):
        await detector.check({"a": None}, ())
    assert "this worker does not tick a sim that it may tick" in detector.errors["a"]
    assert await detector.check({}, ()) == set()
    assert detector.errors == {}


async def test_sims_are_checked_in_turn_and_faulty_ones_each_time(redis: Redis) -> None:
    detector = watching(redis)
    holders = dict.fromkeys((f"s{number}" for number in range(250)), "other:1")
    looked = [len(await detector.check(holders, ["s249"])) for _ in range(4)]
    assert looked == [101, 101, 50, 101]
