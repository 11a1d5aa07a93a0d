"""A trial: a world of processes is played, broken on schedule, left to mend itself, and then held to every promise."""

import asyncio
import contextlib
import signal
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from redis.exceptions import RedisError

from chaos import recorded
from chaos.checker import violations
from chaos.faults import Injected, Injector
from chaos.players import Given, play
from chaos.recorded import Recorded
from chaos.report import Report, takeovers
from chaos.schedule import Fault, schedule
from chaos.stage import LEASE_S, SIMS, TICK_S, Stage, opened
from chaos.witness import ObservedHashes, watch
from sector.state.watch.reader import SimReader

_MENDS_WITHIN_S = 60.0


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
    mends_within_s: float = _MENDS_WITHIN_S,
    progress: Callable[[float, Fault], None] = lambda _at_s, _fault: None,
) -> Report:
    """Run one trial; the report says what was kept and what was not."""
    # Each process is started, watched and ended in a thread.
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(32))
    async with opened(topology, directory, tick_s=tick_s, lease_s=lease_s, sabotage=sabotage) as stage:
        observed = {sim_id: ObservedHashes() for sim_id in SIMS}
        witnesses = [asyncio.create_task(watch(stage.redis, sim_id, observed[sim_id])) for sim_id in SIMS]
        stop = asyncio.Event()
        players = [
            asyncio.create_task(play(partial(stage.api_of, sim_id), seed + number, stop))
            for number, sim_id in enumerate(SIMS)
        ]
        injected = await _break(stage, schedule(seed, seconds, kinds, every_s), progress)
        stop.set()
        given = dict(zip(SIMS, await asyncio.gather(*players), strict=True))
        await _mend(stage, injected, mends_within_s)
        for witness in witnesses:
            witness.cancel()
        await asyncio.wait(witnesses)
        sims = [await recorded.read(stage.redis, sim_id) for sim_id in SIMS]
    return _report(topology, seed, seconds, injected, given, sims, observed)


async def _break(stage: Stage, faults: Iterable[Fault], progress: Callable[[float, Fault], None]) -> Injected:
    """Inject the faults at their times; return when what they hit is whole again."""
    injector, loop = Injector(stage), asyncio.get_running_loop()
    start = loop.time()
    async with asyncio.TaskGroup() as group:
        for fault in faults:
            await asyncio.sleep(max(start + fault.at_s - loop.time(), 0))
            progress(fault.at_s, fault)
            group.create_task(injector.inject(fault))
    return injector.done


async def _mend(stage: Stage, injected: Injected, within_s: float) -> None:
    """Wait until all that was ordered is applied; then end every process in order."""
    for actor in stage.actors:
        if (code := actor.died) is not None:
            injected.wrong.append(f"{actor.name} ended by itself with {code}")
    try:
        async with asyncio.timeout(within_s):
            for sim_id in SIMS:
                await _applied(stage, sim_id)
    except TimeoutError:
        injected.wrong.append(f"not all that was ordered was applied within {within_s:.0f} s")
    else:
        alive = [actor for actor in stage.actors if actor.died is None]
        unready = await asyncio.gather(*(actor.until_ready() for actor in alive))
        injected.wrong += [what.partition("\n")[0] for what in unready if what]
    for actor in stage.actors:
        if actor.died is None and (code := await actor.end(signal.SIGTERM)) != 0:
            injected.wrong.append(f"{actor.name} ended with {code} after SIGTERM")


async def _applied(stage: Stage, sim_id: str) -> None:
    while True:
        with contextlib.suppress(RedisError, OSError):
            last = await recorded.last_order(stage.redis, sim_id)
            if (await SimReader(stage.redis, sim_id).head()).cursor == last:
                return
        await asyncio.sleep(0.1)


def _report(
    topology: str,
    seed: int,
    seconds: float,
    injected: Injected,
    given: dict[str, Given],
    sims: Sequence[Recorded],
    observed: dict[str, ObservedHashes],
) -> Report:
    broken, remade = [], 0
    for sim in sims:
        # A failover may lose ticks, which are then made anew; one server that syncs its file loses none.
        strict = observed[sim.sim_id] if topology == "one" else None
        broken += list(violations(sim, given[sim.sim_id].acknowledged, strict))
        now = {tick.tick: tick.hash for tick in sim.ticks}
        remade += sum(now.get(tick) != state_hash for tick, state_hash in observed[sim.sim_id].hashes.items())
    return Report(
        topology,
        seed,
        seconds,
        faults=dict(injected.counts),
        acknowledged=sum(len(each.acknowledged) for each in given.values()),
        unknown=sum(each.unknown for each in given.values()),
        ticks=sum(len(sim.ticks) for sim in sims),
        remade=remade,
        takeovers=takeovers(sims, injected.ended),
        violations=broken,
        wrong=[*injected.wrong, *(wrong for each in given.values() for wrong in each.wrong)],
    )
