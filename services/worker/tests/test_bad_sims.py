"""Sims that cannot be ticked are reported. The worker stays ready, ticks all others, and leaves their leases alone."""

import asyncio
import itertools
import math
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from redis.asyncio import Redis

from fixtures import archives
from fixtures.archives import replace_meta, replace_record
from fixtures.processes import Processes, Service, tick_of
from fixtures.sim import CONFIG
from fixtures.users import selectors_of
from sector.models import SimConfig
from sector.models.archive import Keyframe
from sector.process import Health
from sector.state.keys import SimKeys
from sector.state.redis.client import connect
from sector.state.sims import lifecycle
from sector.state.sims.importer import import_sim
from sector.worker.settings import WorkerSettings
from sector.worker.sim_errors import SIMS
from sector.worker.worker import REDIS, Worker
from sector.world import SectorWorld

SMALL = CONFIG.model_copy(update={"systems": 8, "homes": 2})
BAD = SimKeys("bad")
TTL_MS = 600


async def _far_tick(redis: Redis) -> None:
    """Import a state that the rules refuse: archives have no limit for the size of a world."""
    records = archives.record_world(0)
    keyframe = records[1]
    assert isinstance(keyframe, Keyframe)
    await lifecycle.delete(redis, "bad")
    far = replace_record(records, 1, tick=2**52, snapshot=replace_meta(keyframe.snapshot, tick=2**52))
    await import_sim(redis, "bad", iter(far))


async def _other_type(redis: Redis) -> None:
    await redis.set(BAD.events, "something")


SPOIL: dict[str, Callable[[Redis], Awaitable[object]]] = {
    "a tick that the rules refuse": _far_tick,
    "a cursor that is no id": lambda redis: redis.hset(BAD.head, "cursor", "x"),
    "a cursor that Redis refuses": lambda redis: redis.hset(BAD.head, "cursor", "99999999999999999999-0"),
    "a tick that is no number": lambda redis: redis.hset(BAD.head, "tick", "x"),
    "a snapshot that is none": lambda redis: redis.set(BAD.snapshot, "garbage"),
    "a map that is a snapshot": lambda redis: redis.copy(BAD.snapshot, BAD.map, replace=True),
    "a config that is none": lambda redis: redis.set(BAD.config, "garbage"),
    "a request that is none": lambda redis: redis.set(BAD.request, "garbage"),
    "an event stream of another type": _other_type,
}


AT_A_TIME = 5


@pytest.mark.parametrize("kinds", list(itertools.batched(SPOIL, AT_A_TIME)), ids=" | ".join)
async def test_a_bad_sim_leaves_its_worker_ready_and_the_others_ticking(
    processes: Processes, redis_url: str, kinds: tuple[str, ...]
) -> None:
    """Each sim has its own database and worker, and they run in parallel: each takes 5 s."""
    assert redis_url.endswith("/0")
    started_s = time.monotonic()
    workers = [
        await _start_with_bad_sim(processes, f"{redis_url[:-1]}{number}", kind) for number, kind in enumerate(kinds)
    ]
    with ThreadPoolExecutor(AT_A_TIME) as threads:
        await asyncio.gather(*(asyncio.wrap_future(threads.submit(_ticks_the_good_one, worker)) for worker in workers))
    for number, kind in enumerate(kinds):
        redis = connect(f"{redis_url[:-1]}{number}")
        epoch = await redis.hget(BAD.head, "epoch")
        await redis.aclose()
        # The pauses between its leases double, from at least a quarter of a second.
        most = 2 + math.log2(1 + 4 * (time.monotonic() - started_s))
        assert int(epoch or 0) <= most, f"{kind}: the pauses between attempts do not grow"


async def _start_with_bad_sim(processes: Processes, url: str, kind: str) -> Service:
    redis = connect(url)
    assert isinstance(redis, Redis)
    for name in ("good", "bad"):
        await lifecycle.create(redis, name, SectorWorld(), SMALL)
    await SPOIL[kind](redis)
    await redis.aclose()
    return processes.start(
        "worker", REDIS_URL=url, WORKER_ID="one", SIM_ID="*", TICK_DELAY="0.05", LEASE_TTL_MS=str(TTL_MS)
    )


def _ticks_the_good_one(worker: Service) -> None:
    """For about eight lease lifetimes, the worker reports the bad sim and stays ready."""
    was_ready: list[bool] = []

    def is_named(health: dict[str, object]) -> bool:
        was_ready.append(bool(health["ready"]))
        return "such as bad" in str(health["conditions"])

    health = worker.wait_for(is_named, "naming the bad sim")
    assert health["conditions"]["sims"]["blocks"] is False
    first_tick = tick_of(worker.wait_for(lambda health: tick_of(health, "good") > 0, "ticking"), "good")
    worker.wait_for(
        lambda health: is_named(health) and tick_of(health, "good") >= first_tick + 100, "ticking on, and naming it"
    )
    assert all(was_ready), "it was ready all along"


async def test_the_only_sim_of_a_worker_is_ticked_once_it_is_repaired(
    processes: Processes, redis: Redis, redis_url: str
) -> None:
    await lifecycle.create(redis, "bad", SectorWorld(), SMALL)
    cursor = await redis.hget(BAD.head, "cursor")
    await redis.hset(BAD.head, "cursor", "x")
    one = processes.start("worker", REDIS_URL=redis_url, SIM_ID="bad", TICK_DELAY="0.05", LEASE_TTL_MS=str(TTL_MS))
    one.wait_for_fault("sims", "field cursor has the invalid value 'x'")
    one.wait_until(ready=True)
    await redis.hset(BAD.head, "cursor", cursor or b"")
    one.wait_for(lambda health: tick_of(health, "bad") > 2, "ticking it")
    one.wait_for(lambda health: "error" not in health["conditions"]["sims"], "well")


class Unforeseen(SectorWorld):
    """A world that cannot be created from a config, because of an unexpected error."""

    def create(self, config: SimConfig) -> tuple[bytes, bytes]:
        if config.seed == 666:
            raise LookupError("what nobody foresaw")
        return super().create(config)


async def test_an_unexpected_error_of_one_sim_does_not_stop_the_worker(
    redis: Redis, redis_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    await lifecycle.create(redis, "good", SectorWorld(), SMALL)
    settings = WorkerSettings(
        redis_url=redis_url,
        sim_id="bad,*",
        tick_delay=0.02,
        lease_ttl_ms=2000,
        sim_config=SMALL.model_copy(update={"seed": 666}),
    )
    health, stop = Health("worker", REDIS, SIMS), asyncio.Event()
    worker = Worker(settings, redis, Unforeseen(), health)
    running = asyncio.create_task(worker.run(stop))
    try:
        async with asyncio.timeout(60):
            while not (health.errors[SIMS] and int(await redis.hget(SimKeys("good").head, "tick") or 0) > 20):
                assert not running.done()
                await asyncio.sleep(0.02)
        assert health.ready
        assert health.errors[SIMS] == "LookupError: see the log"
        errors = {vars(record)["error"] for record in caplog.records if record.msg == "sim runner failed"}
        assert errors == {"LookupError"}
    finally:
        stop.set()
        await running


async def test_an_error_of_redis_itself_makes_the_worker_unready(
    processes: Processes, redis: Redis, redis_url: str
) -> None:
    for name in ("good", "bad"):
        await lifecycle.create(redis, name, SectorWorld(), SMALL)
    one = processes.start("worker", REDIS_URL=redis_url, SIM_ID="*", TICK_DELAY="0.05", LEASE_TTL_MS=str(TTL_MS))
    one.wait_for(lambda health: health["sims_held"] == 2, "holding both")
    rights = selectors_of("worker")
    fewer = [each for each in rights if "+xadd " not in each]
    await redis.execute_command("ACL", "SETUSER", "worker", "clearselectors", *fewer)
    try:
        one.wait_for_fault("sims", "the Redis user lacks a permission")
        one.wait_until(ready=False)
    finally:
        await redis.execute_command("ACL", "SETUSER", "worker", "clearselectors", *rights)
    one.wait_until(ready=True)
