"""A soak run: starts the system and the workload, injects faults on schedule, and checks everything at the end."""

import asyncio
import contextlib
import signal
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from redis.exceptions import RedisError

from chaos import schedule
from chaos.clients import Clients
from chaos.faults import Injector
from chaos.schedule import Fault
from chaos.system import CONFIG, FACTIONS, SIMS, ServiceProcess, SystemUnderTest, add, start_system
from fixtures.processes import free_port
from sector.state.history.outcomes import outcome
from sector.state.watch.reader import SimReader
from soak.memory import MemorySamples
from soak.report import Report, Window, outside
from soak.users import RETRY_TIMEOUT_S, UserLog, listen, play, settle, watch

TICK_S, LEASE_S = 0.5, 3.0
# A bot cannot conquer a home with so many ships: no faction wins, and the sim runs all day.
_CONFIG = CONFIG.model_copy(update={"keyframes_kept": 4, "home_ships": 1_000_000_000})
_SAMPLE_S = 5.0
_AFTER_S = 5.0
"""Seconds from the repair of a fault until its effects are over: disconnected clients have reconnected."""
_RECOVERY_TIMEOUT_S = 60.0
_LEAVES_WITHIN_S = 15.0
_ENDS = (
    schedule.WORKER_KILLED,
    schedule.WORKER_TERMINATED,
    schedule.API_KILLED,
    schedule.API_TERMINATED,
    schedule.CRASH,
)


def faults(seed: int, seconds: float, every_s: float) -> Iterator[Fault]:
    """Yield the faults of a run: all kinds in its first half, in its second only those that end no process."""
    kinds = schedule.KINDS["one"]
    for fault in schedule.schedule(seed, seconds, kinds, every_s):
        if fault.at_s < seconds / 2 or fault.kind not in _ENDS:
            yield fault


async def run_day(
    seconds: float,
    directory: Path,
    *,
    players: int = 200,
    spectators: int = 200,
    seed: int = 1,
    every_s: float = 20.0,
    think_s: float = 3.0,
    progress: Callable[[float, str], None] = lambda _at_s, _what: None,
) -> Report:
    """Run the workload for some seconds and return the report."""
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(32))
    async with start_system(
        "one", directory, tick_s=TICK_S, lease_s=LEASE_S, config=_CONFIG
    ) as system, contextlib.AsyncExitStack() as stack:
        for sim_id in SIMS:
            await add(stack, system, f"viz-{sim_id}", "sector.viz", SIM_ID=sim_id, PORT=str(free_port()))
        bots = {f"bot-{sim_id}": sim_id for sim_id in SIMS}
        for name, sim_id in bots.items():
            await add(stack, system, name, "sector.bot", API_URL=system.api_of(sim_id) or "", BOT_FACTION=FACTIONS[0])
        for process in system.services:
            if process.service is None:
                await process.start()
                assert not await process.until_ready()
        return await _run_workload(
            system, seconds, players, spectators, list(faults(seed, seconds, every_s)), think_s, progress
        )


async def _run_workload(
    system: SystemUnderTest,
    seconds: float,
    players: int,
    spectators: int,
    scheduled: list[Fault],
    think_s: float,
    progress: Callable[[float, str], None],
) -> Report:
    log, held, stop, injector = UserLog(), MemorySamples(), asyncio.Event(), Injector(system)
    clients = [Clients(partial(system.api_of, sim_id), patience_s=RETRY_TIMEOUT_S, sim_id=sim_id) for sim_id in SIMS]
    vizs = [partial(_url, system, f"viz-{sim_id}") for sim_id in SIMS]
    start_s, windows = time.monotonic(), list[Window]()
    crowd = [asyncio.create_task(play(clients[n % 2], FACTIONS, think_s, log, stop)) for n in range(players)]
    # One spectator in four reads the stream of the API, the others watch the page.
    crowd += [
        asyncio.create_task(listen(clients[n // 4 % 2], log, stop) if n % 4 == 0 else watch(vizs[n % 2], log, stop))
        for n in range(spectators)
    ]
    sampling = asyncio.create_task(_sample(system, held, start_s, stop))
    async with asyncio.TaskGroup() as group:
        for fault in scheduled:
            await asyncio.sleep(max(start_s + fault.at_s - time.monotonic(), 0))
            progress(fault.at_s, fault.kind)
            group.create_task(_inject(injector, fault, windows))
        await asyncio.sleep(max(start_s + seconds - time.monotonic(), 0))
    wrong = list(injector.done.wrong)
    wrong += [
        f"{process.name} ended by itself with {code}"
        for process in system.services
        if (code := process.died) is not None
    ]
    stop.set()
    _, waiting = await asyncio.wait(crowd, timeout=_LEAVES_WITHIN_S)
    if waiting:
        wrong.append(f"{len(waiting)} of the crowd still waited for something {_LEAVES_WITHIN_S:g} s after the end")
    for each in waiting:
        each.cancel()
    ended = await asyncio.gather(*crowd, sampling, return_exceptions=True)
    wrong += [f"one of the crowd ended with {each!r}" for each in ended if isinstance(each, Exception)]
    await _settle(system, log)
    heads = {sim_id: await SimReader(system.redis, sim_id).head() for sim_id in SIMS}
    wrong += [
        f"sim {sim_id} was over at tick {head.tick}" for sim_id, head in heads.items() if head.status != "running"
    ]
    for client in clients:
        await client.close()
    for process in system.services:
        if process.died is None and (code := await process.end(signal.SIGTERM)) != 0:
            wrong.append(f"{process.name} ended with {code} after SIGTERM")
    least_s = min(seconds / 4, 600.0)
    took_s = outside(log.samples, windows)
    slopes = held.slopes(least_s, settled_s=min(seconds / 8, 300.0))
    return Report(
        start_s,
        seconds,
        windows,
        dict(injector.done.counts),
        log,
        sum(head.tick for head in heads.values()),
        took_s,
        held,
        slopes,
        wrong,
    )


async def _inject(injector: Injector, fault: Fault, windows: list[Window]) -> None:
    began_s = time.monotonic()
    await injector.inject(fault)
    windows.append((began_s, time.monotonic() + LEASE_S + _AFTER_S))


async def _sample(system: SystemUnderTest, held: MemorySamples, start_s: float, stop: asyncio.Event) -> None:
    """Sample the memory of all processes, every few seconds until `stop`."""
    while not stop.is_set():
        running = {
            process.name: process.service.process.pid for process in system.services if process.service is not None
        }
        held.take(time.monotonic() - start_s, running)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_SAMPLE_S):
                await stop.wait()


async def _settle(system: SystemUnderTest, log: UserLog) -> None:
    """Load the outcomes of the orders that were still pending at the end."""
    end_s = time.monotonic() + _RECOVERY_TIMEOUT_S
    while log.open and time.monotonic() < end_s:
        for sim_id, order_id in list(log.open):
            with contextlib.suppress(RedisError, OSError):
                order_status = await outcome(system.redis, sim_id, order_id)
                if order_status is not None and order_status.status != "pending":
                    settle(log, (sim_id, order_id), order_status.status)
        await asyncio.sleep(0.2)


def _url(system: SystemUnderTest, name: str) -> str | None:
    process: ServiceProcess = next(process for process in system.services if process.name == name)
    return None if process.service is None else process.service.url
