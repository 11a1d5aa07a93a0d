"""A trial: runs the workload, injects faults on schedule, waits for recovery, and checks every promise."""

import asyncio
import contextlib
import signal
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from redis.exceptions import RedisError

from chaos import sim_history
from chaos.checker import violations
from chaos.faults import InjectionLog, Injector
from chaos.observer import ObservedHashes, watch
from chaos.players import PlayerResult, play
from chaos.report import Report, takeovers
from chaos.schedule import Fault, schedule
from chaos.sim_history import SimHistory
from chaos.system import LEASE_S, SIMS, TICK_S, SystemUnderTest, start_system
from sector.state.watch.reader import SimReader

_RECOVERY_TIMEOUT_S = 60.0


async def run(
    topology: str,
    seconds: float,
    seed: int,
    directory: Path,
    *,
    kinds: Sequence[str],
    every_s: float = 1.0,
    tick_s: float = TICK_S,
    lease_s: float = LEASE_S,
    sabotage: str = "",
    recovery_timeout_s: float = _RECOVERY_TIMEOUT_S,
    progress: Callable[[float, Fault], None] = lambda _at_s, _fault: None,
) -> Report:
    """Run one trial and return its report."""
    # Each process is started, watched and ended in a thread.
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(32))
    async with start_system(topology, directory, tick_s=tick_s, lease_s=lease_s, sabotage=sabotage) as system:
        observed = {sim_id: ObservedHashes() for sim_id in SIMS}
        witnesses = [asyncio.create_task(watch(system.redis, sim_id, observed[sim_id])) for sim_id in SIMS]
        stop = asyncio.Event()
        players = [
            asyncio.create_task(play(partial(system.api_of, sim_id), seed + number, stop))
            for number, sim_id in enumerate(SIMS)
        ]
        injected = await _inject_faults(system, schedule(seed, seconds, kinds, every_s), progress)
        stop.set()
        given = dict(zip(SIMS, await asyncio.gather(*players), strict=True))
        await _recover(system, injected, recovery_timeout_s)
        for witness in witnesses:
            witness.cancel()
        await asyncio.wait(witnesses)
        sims = [await sim_history.read(system.redis, sim_id) for sim_id in SIMS]
    return _report(topology, seed, seconds, injected, given, sims, observed)


async def _inject_faults(
    system: SystemUnderTest, faults: Iterable[Fault], progress: Callable[[float, Fault], None]
) -> InjectionLog:
    """Inject the faults at their times; return when all targets have recovered."""
    injector, loop = Injector(system), asyncio.get_running_loop()
    start = loop.time()
    async with asyncio.TaskGroup() as group:
        for fault in faults:
            await asyncio.sleep(max(start + fault.at_s - loop.time(), 0))
            progress(fault.at_s, fault)
            group.create_task(injector.inject(fault))
    return injector.done


async def _recover(system: SystemUnderTest, injected: InjectionLog, within_s: float) -> None:
    """Wait until every order is applied; then stop every process gracefully."""
    for process in system.services:
        if (code := process.died) is not None:
            injected.wrong.append(f"{process.name} ended by itself with {code}")
    try:
        async with asyncio.timeout(within_s):
            for sim_id in SIMS:
                await _applied(system, sim_id)
    except TimeoutError:
        injected.wrong.append(f"not all that was ordered was applied within {within_s:.0f} s")
    else:
        alive = [process for process in system.services if process.died is None]
        unready = await asyncio.gather(*(process.until_ready() for process in alive))
        injected.wrong += [what.partition("\n")[0] for what in unready if what]
    for process in system.services:
        if process.died is None and (code := await process.end(signal.SIGTERM)) != 0:
            injected.wrong.append(f"{process.name} ended with {code} after SIGTERM")


async def _applied(system: SystemUnderTest, sim_id: str) -> None:
    while True:
        with contextlib.suppress(RedisError, OSError):
            last = await sim_history.last_order(system.redis, sim_id)
            if (await SimReader(system.redis, sim_id).head()).cursor == last:
                return
        await asyncio.sleep(0.1)


def _report(
    topology: str,
    seed: int,
    seconds: float,
    injected: InjectionLog,
    given: dict[str, PlayerResult],
    sims: Sequence[SimHistory],
    observed: dict[str, ObservedHashes],
) -> Report:
    broken, recomputed = [], 0
    for sim in sims:
        # A failover may lose ticks, which are then recomputed. A single server that syncs its file loses none.
        strict = observed[sim.sim_id] if topology == "one" else None
        broken += list(violations(sim, given[sim.sim_id].acknowledged, strict))
        now = {tick.tick: tick.hash for tick in sim.ticks}
        recomputed += sum(now.get(tick) != state_hash for tick, state_hash in observed[sim.sim_id].hashes.items())
    return Report(
        topology,
        seed,
        seconds,
        faults=dict(injected.counts),
        acknowledged=sum(len(each.acknowledged) for each in given.values()),
        unknown=sum(each.unknown for each in given.values()),
        ticks=sum(len(sim.ticks) for sim in sims),
        recomputed=recomputed,
        takeovers=takeovers(sims, injected.ended),
        violations=broken,
        wrong=[*injected.wrong, *(wrong for each in given.values() for wrong in each.wrong)],
    )
