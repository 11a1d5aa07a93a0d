"""The cost of observability: metrics, log context and traces, all enabled, against the same process without them.

The CPU time per order or per tick is measured in many short turns under a constant load, because the speed of a machine varies by more
than the difference. A comparison has four turns (on, off, off, on), so that a steady drift cancels out.
"""

import asyncio
import json
import os
import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

from bench.figure import Figure, MeasurementError
from bench.load import Load
from bench.running import running, valkey_on, worked_s
from bench.switched import SIGNALS
from bench.timing import us
from sector.models import SimConfig
from sector.state.redis.client import connect
from sector.state.sims import lifecycle
from sector.world import SectorWorld

_TURN_S, _FOURS = 0.2, 12
_WARM_S = 1
_IDLE_S = 20.0
_SIMS, _SYSTEMS = 50, 50
_GOAL = 1.05
_UNLIMITED = {"RATE_PER_ADDRESS": "0", "REQUESTS_PER_ADDRESS": "0", "MAX_PENDING_ORDERS": "0"}
_NOTE = {"type": "note", "faction": "Crimson", "text": "hello"}


type Compared = list[tuple[float, float]]
"""Whether the process is observed."""


def figures(rounds: int) -> Iterator[Figure]:
    """Measure API and worker on one core, with Valkey and the load on the others."""
    cores = sorted(os.sched_getaffinity(0))
    own, others = {cores[0]}, set(cores[1:]) or {cores[0]}
    with ExitStack() as stack:
        collector, _ = stack.enter_context(running("bench.collector", others, path="/"))
        observability = {"TRACES_URL": collector, "LOG_LEVEL": "info"}
        yield _api(observability, rounds, own, others)
        yield _worker(observability, rounds, own, others)


def _api(observability: Mapping[str, str], rounds: int, own: set[int], others: set[int]) -> Figure:
    load = Load("/orders", "POST", json.dumps(_NOTE), keyed=True)
    with ExitStack() as stack:
        valkey = stack.enter_context(valkey_on(others))
        url = f"{valkey.connection_url}/0"
        asyncio.run(_create_sims(url, ["default"], SimConfig()))
        where, process_id = stack.enter_context(
            running("bench.switched", own, PART="sector.api", REDIS_URL=url, **_UNLIMITED, **observability)
        )
        client = stack.enter_context(valkey.client())
        loader = stack.enter_context(ThreadPoolExecutor(1))

        def orders() -> int:
            return int(client.xinfo_stream("sim:{default}:orders")["entries-added"])

        def measure() -> Compared:
            client.xtrim("sim:{default}:orders", maxlen=0, approximate=False)
            for key in client.scan_iter("*:once:*", count=10_000):
                client.delete(key)
            loading = loader.submit(load.put_on, where, others, _TURN_S * _FOURS * 4 + 2 * _WARM_S)
            time.sleep(_WARM_S)
            comparison = _in_turns(orders, process_id)
            loading.result()
            return comparison

        return _figure("api: an order", [measure() for _ in range(rounds)])


def _worker(observability: Mapping[str, str], rounds: int, own: set[int], others: set[int]) -> Figure:
    with ExitStack() as stack:
        valkey = stack.enter_context(valkey_on(others))
        url = f"{valkey.connection_url}/0"
        asyncio.run(
            _create_sims(
                url,
                [f"s{number}" for number in range(_SIMS)],
                SimConfig(systems=_SYSTEMS, players=("Crimson", "Azure"), puppets=()),
            )
        )
        settings = {"REDIS_URL": url, "SIM_ID": "*", "TICK_DELAY": "0", "LEASE_TTL_MS": "600000", **observability}
        _, process_id = stack.enter_context(
            running("bench.switched", own, port_name="HEALTH_PORT", PART="sector.worker", **settings)
        )
        client = stack.enter_context(valkey.client())

        def ticks() -> int:
            # A worker that owns all leases has no transactions except its ticks.
            return int(client.info("commandstats").get("cmdstat_exec", {"calls": 0})["calls"])

        # The worker acquires the leases, and computes the first ticks in a thread.
        while ticks() < 20 * _SIMS:
            time.sleep(0.05)
        comparisons = [_in_turns(ticks, process_id) for _ in range(rounds)]
    return _figure(f"worker: a tick of {_SYSTEMS} systems, {_SIMS} sims", comparisons)


def _in_turns(done: Callable[[], int], process_id: int) -> Compared:
    """Compare the CPU seconds of a process per unit of its work."""
    comparison: Compared = []
    for _ in range(_FOURS):
        sums = {True: 0.0, False: 0.0}
        for observed in (True, False, False, True):
            os.kill(process_id, SIGNALS[observed])
            before, before_s = done(), worked_s(process_id)
            deadline, did, worked = time.monotonic() + _IDLE_S, 0, 0.0
            # If other processes use the cores, a turn may be too short for one unit.
            while not did:
                if time.monotonic() > deadline:
                    raise MeasurementError(f"what is observed does nothing for {_IDLE_S:.0f} s")
                time.sleep(_TURN_S)
                worked, did = worked_s(process_id) - before_s, done() - before
            sums[observed] += worked / did
        comparison.append((sums[True] / 2, sums[False] / 2))
    return comparison


async def _create_sims(url: str, names: list[str], config: SimConfig) -> None:
    redis, world = connect(url), SectorWorld()
    for name in names:
        await lifecycle.create(redis, name, world, config)
    await redis.aclose()


def _figure(what: str, rounds: list[Compared]) -> Figure:
    ours, theirs = ([each[which] for compared in rounds for each in compared] for which in (0, 1))
    of_rounds = [
        statistics.median(observed_s / unobserved_s for observed_s, unobserved_s in compared) for compared in rounds
    ]
    return Figure(
        f"{what}, with metrics, logs and traces",
        us(ours),
        f"{us(theirs)}, counting nothing",
        statistics.median(of_rounds),
        min(of_rounds),
        max(of_rounds),
        _GOAL,
    )
