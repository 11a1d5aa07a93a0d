"""Several workers share many sims. Sims are taken over, added and removed meanwhile."""

import asyncio
import signal
from collections import Counter
from collections.abc import Callable

from redis.asyncio import Redis

from fixtures.processes import Processes, Service
from fixtures.sim import CONFIG
from fixtures.waiting import wait_until
from sector.models import SimConfig
from sector.models.frame import decode
from sector.state.keys import SimKeys
from sector.state.sims import fork, lifecycle
from sector.state.tick import lease
from sector.state.watch.reader import SimReader
from sector.world import SectorWorld

SMALL = CONFIG.model_copy(update={"systems": 8, "homes": 2})
SETTINGS = {"TICK_DELAY": "0.05", "LEASE_TTL_MS": "900"}
NAMES = [f"sim-{number}" for number in range(12)]


def worker(processes: Processes, redis_url: str, name: str, serves: str = "*") -> Service:
    return processes.start("worker", wait=True, REDIS_URL=redis_url, WORKER_ID=name, SIM_ID=serves, **SETTINGS)


async def create_all(redis: Redis) -> None:
    for name in NAMES:
        await lifecycle.create(redis, name, SectorWorld(), SMALL)


async def shares_are(redis: Redis, so: Callable[[Counter[str]], bool], names: list[str] = NAMES) -> None:
    """Wait until the workers hold these numbers of sims."""
    async with asyncio.timeout(60):
        while True:
            holders = await lease.holders(redis, names)
            shares = Counter(holder.split(":")[0] for holder in holders if holder)
            if shares.total() == len(names) and so(shares):
                return
            await asyncio.sleep(0.05)


async def all_tick(redis: Redis, names: list[str]) -> None:
    """Wait until each sim has advanced."""
    async with asyncio.timeout(60):
        for name in names:
            reader = SimReader(redis, name)
            async for _ in reader.follow((await reader.head()).tick):
                break


async def test_workers_share_sims_evenly_as_they_come_and_go(
    processes: Processes, redis: Redis, redis_url: str
) -> None:
    await create_all(redis)
    worker(processes, redis_url, "one")
    await shares_are(redis, lambda shares: shares == {"one": 12})
    two = worker(processes, redis_url, "two")
    await shares_are(redis, lambda shares: shares == {"one": 6, "two": 6})
    three = worker(processes, redis_url, "three")
    await shares_are(redis, lambda shares: shares == {"one": 4, "two": 4, "three": 4})
    await all_tick(redis, NAMES)
    two.end(signal.SIGKILL)
    await shares_are(redis, lambda shares: shares == {"one": 6, "three": 6})
    three.end(signal.SIGTERM)
    await shares_are(redis, lambda shares: shares == {"one": 12})
    await all_tick(redis, NAMES)


async def test_sims_are_added_and_removed_while_a_worker_runs(
    processes: Processes, redis: Redis, redis_url: str
) -> None:
    one = worker(processes, redis_url, "one")
    await lifecycle.create(redis, "first", SectorWorld(), SMALL)
    await all_tick(redis, ["first"])
    await fork.fork(redis, "first", 0, "second")
    await all_tick(redis, ["first", "second"])
    await lifecycle.delete(redis, "first")
    one.wait_for(lambda health: list(health["held"]) == ["second"], "holding the second alone")
    assert not await redis.exists(*SimKeys("first").all)
    one.wait_until(ready=True)


async def test_an_unreadable_sim_is_reported_and_the_others_tick(
    processes: Processes, redis: Redis, redis_url: str
) -> None:
    for name in ("good", "bad"):
        await lifecycle.create(redis, name, SectorWorld(), SMALL)
    snapshot = await redis.get(SimKeys("bad").snapshot)
    assert isinstance(snapshot, bytes)
    await redis.set(SimKeys("bad").snapshot, snapshot[:-1])
    one = processes.start("worker", wait=False, REDIS_URL=redis_url, WORKER_ID="one", SIM_ID="*", **SETTINGS)
    one.wait_for_fault("sims", "the frame cannot be read")
    one.wait_for(lambda health: "such as bad" in health["conditions"]["sims"]["detail"], "naming the sim")
    await all_tick(redis, ["good"])
    await redis.set(SimKeys("bad").snapshot, snapshot)
    one.wait_until(ready=True)
    await all_tick(redis, ["good", "bad"])
    assert decode(snapshot).meta["tick"] == 0


async def test_a_config_of_a_newer_version_does_not_stop_the_other_sims(
    processes: Processes, redis: Redis, redis_url: str
) -> None:
    for name in ("good", "newer"):
        await lifecycle.create(redis, name, SectorWorld(), SMALL)
    await redis.set(SimKeys("newer").config, b'{"colour": "red"}')
    one = processes.start("worker", wait=False, REDIS_URL=redis_url, WORKER_ID="one", SIM_ID="*", **SETTINGS)
    await asyncio.to_thread(
        wait_until, lambda: "the config of sim 'newer' cannot be read" in one.log.read_text(), "the fault"
    )
    await all_tick(redis, ["good"])
    assert one.process.poll() is None


async def test_the_error_of_an_unreadable_sim_ends_with_its_removal(
    processes: Processes, redis: Redis, redis_url: str
) -> None:
    await lifecycle.create(redis, "bad", SectorWorld(), SMALL)
    await redis.set(SimKeys("bad").snapshot, b"garbage")
    one = processes.start("worker", wait=False, REDIS_URL=redis_url, WORKER_ID="one", SIM_ID="*", **SETTINGS)
    one.wait_for_fault("sims", "the frame cannot be read")
    await lifecycle.delete(redis, "bad")
    one.wait_until(ready=True)
    one.wait_for(lambda health: health["sims_served"] == health["sims_held"] == 0, "without a sim")


class CachedWorld(SectorWorld):
    """Creates all sims with the same state, which is fast."""

    def __init__(self) -> None:
        self._founded = super().create(SMALL)

    def create(self, config: SimConfig) -> tuple[bytes, bytes]:
        return self._founded


async def test_one_worker_ticks_a_thousand_sims(processes: Processes, redis: Redis, redis_url: str) -> None:
    names, world = [f"s{number}" for number in range(1000)], CachedWorld()
    for name in names:
        await lifecycle.create(redis, name, world, SMALL)
    one = processes.start(
        "worker", REDIS_URL=redis_url, WORKER_ID="one", SIM_ID="*", TICK_DELAY="2", LEASE_TTL_MS="30000"
    )
    one.wait_for(lambda health: health["sims_held"] == 1000, "holding a thousand")
    async with asyncio.timeout(60):
        for name in names:
            while (await SimReader(redis, name).head()).tick < 2:
                await asyncio.sleep(0.05)
    one.wait_until(ready=True)


async def test_sims_named_with_commas_are_created(processes: Processes, redis: Redis, redis_url: str) -> None:
    one = worker(processes, redis_url, "one", "left,right")
    health = one.wait_for(lambda health: health["sims_held"] == 2, "holding two")
    assert set(health["held"]) == {"left", "right"}
    assert await lifecycle.list_ids(redis) == ["left", "right"]
