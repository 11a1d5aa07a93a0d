"""The report of a tick, where it is computed, and the number of its round trips."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from redis.asyncio import Redis

from fixtures.sim import CONFIG, Sim
from fixtures.stored_values import read_stream, read_string
from sector.models import LoggedOrder, Note, Step
from sector.state.keys import SimKeys
from sector.state.redis.connection import Connection, execute
from sector.state.sims import lifecycle
from sector.state.tick import step_runner, transaction
from sector.state.tick.outcome import CommittedTick, PhaseDurations
from sector.state.tick.transaction import Ticker, TickInput
from sector.world import Position, SectorWorld

KEYS = SimKeys("default")
QUIET = CONFIG.model_copy(update={"puppets": (), "keyframe_interval": 1000})


@dataclass(slots=True)
class Clock:
    """The clocks of the ticker. They advance only in the test."""

    wall_s: float = 64.0
    cpu_s: float = 64.0
    at_ms: int = 5_000

    def monotonic(self) -> float:
        return self.wall_s

    def thread_time(self) -> float:
        return self.cpu_s

    def time_ns(self) -> int:
        return self.at_ms * 1_000_000


@dataclass
class TimedWorld(SectorWorld):
    """A world that takes as much time as the test says, and records the threads that advance it."""

    clock: Clock
    wall_s: float = 0.0
    cpu_s: float = 0.0
    threads: list[int] = field(default_factory=list)

    def advance(self, state: Position, orders: Sequence[LoggedOrder]) -> Step[Position]:
        self.threads.append(threading.get_ident())
        self.clock.wall_s += self.wall_s
        self.clock.cpu_s += self.cpu_s
        return super().advance(state, orders)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    stopped = Clock()
    for module in (transaction, step_runner):
        monkeypatch.setattr(module, "time", stopped)
    return stopped


async def order_at(redis: Redis, order_id: str, *traces: str) -> None:
    """Append a note to the log with a given id."""
    note = Note(faction="Me", text="x").model_dump_json()
    fields = ("issuer", "me", "scope", "player", "order", note, *(("trace", *traces) if traces else ()))
    await execute(redis, "XADD", KEYS.orders, order_id, *fields)


async def test_a_tick_reports_how_long_each_phase_took(redis: Redis, clock: Clock) -> None:
    class MeasuredTicker(Ticker[Position]):
        async def _read(self, connection: Connection) -> TickInput:
            read = await super()._read(connection)
            clock.wall_s += 2
            return read

        async def _commit(self, *args: Any, **kwargs: Any) -> None:  # (as the one that it calls)
            await super()._commit(*args, **kwargs)
            clock.wall_s += 3

    sim = await Sim.create(redis, QUIET)
    ticker_ = MeasuredTicker(
        redis, TimedWorld(clock, wall_s=5), *await lifecycle.load_manifest(redis, "default"), sim.lease
    )
    tick = await ticker_.tick()
    assert isinstance(tick, CommittedTick)
    assert tick.durations == PhaseDurations(2, 5, 3)


async def test_a_tick_reports_events_traces_and_the_size_of_the_state(redis: Redis) -> None:
    sim = await Sim.create(redis, QUIET)
    for number, trace in enumerate(("a", "b", "a"), 1):
        await order_at(redis, f"{number}-0", trace)
    await order_at(redis, "4-0")
    tick = await sim.tick()
    ((_, entry),) = await read_stream(redis, KEYS.events)
    assert (tick.traces, entry[b"traces"]) == (("a", "b"), b"a b")
    assert tick.events == entry[b"events"]
    assert entry[b"at_ms"] == str(tick.head.at_ms).encode()
    assert (tick.orders, tick.head.applied, tick.snapshot_written) == (4, 4, True)
    assert tick.snapshot_bytes == len(await read_string(redis, KEYS.snapshot))
    tick = await sim.tick()
    _, (_, entry) = await read_stream(redis, KEYS.events)
    assert (tick.orders, tick.traces, tick.snapshot_written) == (0, (), False)
    assert b"traces" not in entry


async def test_the_number_of_reported_traces_is_limited(redis: Redis) -> None:
    sim = await Sim.create(redis, QUIET)
    for number in range(1, 103):
        await order_at(redis, f"{number}-0", f"t{number}")
    assert (await sim.tick()).traces == tuple(f"t{number}" for number in range(1, 101))


@pytest.mark.parametrize(("order_id", "waited_ms"), [("4750-3", 250), ("4999-0", 1), ("5000-0", 0), ("6000-0", 0)])
async def test_a_tick_reports_the_age_of_its_oldest_order(
    redis: Redis, clock: Clock, order_id: str, waited_ms: int
) -> None:
    """An order with a time in the future, by the clock of this process, has an age of 0 ms."""
    sim = await Sim.create(redis, QUIET)
    await order_at(redis, order_id)
    await order_at(redis, "7000-0")
    tick = await sim.tick()
    assert (tick.waited_ms, tick.head.at_ms) == (waited_ms, clock.at_ms)
    assert (await sim.tick()).waited_ms == 0


@pytest.mark.parametrize(
    ("cpu_start_s", "wall_s", "cpu_s", "quick"),
    [
        (64.0, 0.0, 0.0, True),
        (64.0, 0.1, 0.01, True),  # it waited for other threads
        (64.0, 0.2, 0.0, False),
        (64.0, 0.03, 0.03, False),
        (0.0, 0.02, 0.02, False),
    ],
)
async def test_after_a_fast_tick_the_next_needs_no_thread(
    redis: Redis, clock: Clock, cpu_start_s: float, wall_s: float, cpu_s: float, quick: bool
) -> None:
    sim = await Sim.create(redis, QUIET)
    clock.cpu_s = cpu_start_s
    world = TimedWorld(clock, wall_s, cpu_s)
    sim.ticker._world = world
    await sim.tick(times=2)
    assert [thread == threading.get_ident() for thread in world.threads] == [False, quick]


@pytest.mark.parametrize(("start_s", "wall_s", "quick"), [(64.0, 0.015, True), (64.0, 0.03, False), (0.0, 0.02, False)])
async def test_after_a_slow_tick_the_next_runs_in_a_thread(
    redis: Redis, clock: Clock, start_s: float, wall_s: float, quick: bool
) -> None:
    sim = await Sim.create(redis, QUIET)
    world = TimedWorld(clock)
    sim.ticker._world = world
    await sim.tick()
    clock.wall_s, world.wall_s = start_s, wall_s
    await sim.tick(times=2)
    assert [thread == threading.get_ident() for thread in world.threads] == [False, True, quick]


async def test_the_head_has_the_tick_length_of_the_worker_that_committed(redis: Redis) -> None:
    sim = await Sim.create(redis, QUIET)
    await sim.tick()
    assert (await sim.reader.head()).tick_length_ms is None
    founding = await lifecycle.load_manifest(redis, "default")
    for length_ms in (250, 0):
        await Ticker(redis, SectorWorld(), *founding, sim.lease, tick_length_ms=length_ms).tick()
        assert (await sim.reader.head()).tick_length_ms == length_ms


async def test_a_tick_takes_two_round_trips(redis: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    sim = await Sim.create(redis, QUIET)
    await sim.tick(Note(faction="Me", text="x"))
    exchanges: list[object] = []
    pipeline = Connection.pipeline

    async def counted(connection: Connection, *commands: Any) -> list[object]:
        exchanges.append(commands[0][0])
        return list(await pipeline(connection, *commands))

    monkeypatch.setattr(Connection, "pipeline", counted)
    await sim.tick()
    assert exchanges == ["WATCH", "MULTI"]
