"""The effects of an attempt on the world: memory, what Redis stores, late ticks, and how long the event loop was blocked."""

import asyncio
import time
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import httpx

from fixtures.processes import Service
from hostile.attempt import TargetWorld
from sector.state.history import history
from sector.state.redis.connection import execute
from sector.state.redis.replies import as_bytes

_SETTLE_S = 10.0
_LAST_TICK = 2**53


def resident_bytes(service: Service) -> int:
    """Return the memory of a process."""
    return _status(service, "VmRSS")


def peak_bytes(service: Service) -> int:
    """Return the most memory that a process had."""
    return _status(service, "VmHWM")


def _status(service: Service, field: str) -> int:
    lines = Path(f"/proc/{service.process.pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{field}:"))


async def returns_to(service: Service, bytes_before: int, tolerance: int) -> int:
    """Wait until the memory of a process is as before, for some seconds at most; return how many bytes more it is."""
    deadline_s = time.monotonic() + _SETTLE_S
    while (more := resident_bytes(service) - bytes_before) > tolerance and time.monotonic() < deadline_s:
        await asyncio.sleep(0.2)
    return more


async def stored_bytes(target: TargetWorld) -> int:
    """Return the memory of what Redis stores."""
    info = as_bytes(await execute(target.redis, "INFO", "memory")) or b""
    fields = dict(line.split(b":", 1) for line in info.splitlines() if b":" in line)
    return int(fields[b"used_memory_dataset"])


async def tick_gaps_ms(target: TargetWorld, after: int) -> list[int]:
    """Return the milliseconds from each tick after tick `after` to the next one."""
    entries = await history.ticks(target.redis, target.sim_id, after, _LAST_TICK)
    at_ms = [tick.at_ms for tick in entries]
    return [later - earlier for earlier, later in pairwise(at_ms)]


@dataclass(slots=True)
class LoopProbe:
    """Asks a process whether it lives, again and again, and notes how much its main thread computed between question and answer.

    Computing is what blocks an event loop. It is counted in processor time, which does not depend on what else the machine does.
    """

    service: Service
    max_s: float = 0.0
    probes: int = 0

    async def run(self) -> None:
        """Ask until cancelled."""
        pid = self.service.process.pid
        schedule = Path(f"/proc/{pid}/task/{pid}/schedstat")
        async with httpx.AsyncClient(timeout=60) as client:
            while True:
                before_ns = int(schedule.read_text().split()[0])
                await client.get(f"{self.service.url}/health/live")
                computed_s = (int(schedule.read_text().split()[0]) - before_ns) / 1e9
                self.max_s = max(self.max_s, computed_s)
                self.probes += 1
                await asyncio.sleep(0)
