"""A day: the stage is opened, the crowd comes, faults come as scheduled, and all is held to account in the end."""

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
from chaos.stage import CONFIG, FACTIONS, SIMS, Actor, Stage, add, opened
from fixtures.processes import free_port
from sector.state.history.outcomes import outcome
from sector.state.watch.reader import SimReader
from soak.crowd import PATIENCE_S, Noted, listen, play, settle, watch
from soak.memory import Held
from soak.report import Report, Window, outside

TICK_S, LEASE_S = 0.5, 3.0
# A bot conquers all but a home with more ships than it ever has: nobody wins, and the world goes on all day.
_CONFIG = CONFIG.model_copy(update={"keyframes_kept": 4, "home_ships": 1_000_000_000})
_SAMPLE_S = 5.0
_AFTER_S = 5.0
"""A fault is over so long after it was mended: who was cut off has come back."""
_MENDS_WITHIN_S = 60.0
_LEAVES_WITHIN_S = 15.0
_ENDS = (
    schedule.WORKER_KILLED,
    schedule.WORKER_TERMINATED,
    schedule.API_KILLED,
    schedule.API_TERMINATED,
    schedule.CRASH,
)


def faults(seed: int, seconds: float, every_s: float) -> Iterator[Fault]:
    """Yield the faults of a day: in its first half of all kinds, in its second of those that end no process, so that all grow old."""
    kinds = schedule.KINDS["one"]
    for fault in schedule.schedule(seed, seconds, kinds, every_s):
        if fault.at_s < seconds / 2 or fault.kind not in _ENDS:
            yield fault


async def live(
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
    """Run one; the report says what held."""
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(32))
    async with opened(
        "one", directory, tick_s=TICK_S, lease_s=LEASE_S, config=_CONFIG
    ) as stage, contextlib.AsyncExitStack() as stack:
        for sim_id in SIMS:
            await add(stack, stage, f"viz-{sim_id}", "sector.viz", SIM_ID=sim_id, PORT=str(free_port()))
        bots = {f"bot-{sim_id}": sim_id for sim_id in SIMS}
        for name, sim_id in bots.items():
            await add(stack, stage, name, "sector.bot", API_URL=stage.api_of(sim_id) or "", BOT_FACTION=FACTIONS[0])
        for actor in stage.actors:
            if actor.service is None:
                await actor.start()
                assert not await actor.until_ready()
        return await _lived(
            stage, seconds, players, spectators, list(faults(seed, seconds, every_s)), think_s, progress
        )


async def _lived(
    stage: Stage,
    seconds: float,
    players: int,
    spectators: int,
    scheduled: list[Fault],
    think_s: float,
    progress: Callable[[float, str], None],
) -> Report:
    noted, held, stop, injector = Noted(), Held(), asyncio.Event(), Injector(stage)
    clients = [Clients(partial(stage.api_of, sim_id), patience_s=PATIENCE_S, sim_id=sim_id) for sim_id in SIMS]
    vizs = [partial(_url, stage, f"viz-{sim_id}") for sim_id in SIMS]
    start_s, windows = time.monotonic(), list[Window]()
    crowd = [asyncio.create_task(play(clients[n % 2], FACTIONS, think_s, noted, stop)) for n in range(players)]
    # One in four hears the stream of the API, the others watch the page.
    crowd += [
        asyncio.create_task(listen(clients[n // 4 % 2], noted, stop) if n % 4 == 0 else watch(vizs[n % 2], noted, stop))
        for n in range(spectators)
    ]
    sampling = asyncio.create_task(_sample(stage, held, start_s, stop))
    async with asyncio.TaskGroup() as group:
        for fault in scheduled:
            await asyncio.sleep(max(start_s + fault.at_s - time.monotonic(), 0))
            progress(fault.at_s, fault.kind)
            group.create_task(_inject(injector, fault, windows))
        await asyncio.sleep(max(start_s + seconds - time.monotonic(), 0))
    wrong = list(injector.done.wrong)
    wrong += [f"{actor.name} ended by itself with {code}" for actor in stage.actors if (code := actor.died) is not None]
    stop.set()
    _, waiting = await asyncio.wait(crowd, timeout=_LEAVES_WITHIN_S)
    if waiting:
        wrong.append(f"{len(waiting)} of the crowd still waited for something {_LEAVES_WITHIN_S:g} s after the end")
    for each in waiting:
        each.cancel()
    ended = await asyncio.gather(*crowd, sampling, return_exceptions=True)
    wrong += [f"one of the crowd ended with {each!r}" for each in ended if isinstance(each, Exception)]
    await _settle(stage, noted)
    heads = {sim_id: await SimReader(stage.redis, sim_id).head() for sim_id in SIMS}
    wrong += [
        f"sim {sim_id} was over at tick {head.tick}" for sim_id, head in heads.items() if head.status != "running"
    ]
    for client in clients:
        await client.close()
    for actor in stage.actors:
        if actor.died is None and (code := await actor.end(signal.SIGTERM)) != 0:
            wrong.append(f"{actor.name} ended with {code} after SIGTERM")
    least_s = min(seconds / 4, 600.0)
    took_s = outside(noted.samples, windows)
    slopes = held.slopes(least_s, settled_s=min(seconds / 8, 300.0))
    return Report(
        start_s,
        seconds,
        windows,
        dict(injector.done.counts),
        noted,
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


async def _sample(stage: Stage, held: Held, start_s: float, stop: asyncio.Event) -> None:
    """Note what all processes hold, every few seconds until `stop`."""
    while not stop.is_set():
        running = {actor.name: actor.service.process.pid for actor in stage.actors if actor.service is not None}
        held.take(time.monotonic() - start_s, running)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_SAMPLE_S):
                await stop.wait()


async def _settle(stage: Stage, noted: Noted) -> None:
    """Look up those orders whose outcome nobody waited for in the end."""
    end_s = time.monotonic() + _MENDS_WITHIN_S
    while noted.open and time.monotonic() < end_s:
        for sim_id, order_id in list(noted.open):
            with contextlib.suppress(RedisError, OSError):
                order_status = await outcome(stage.redis, sim_id, order_id)
                if order_status is not None and order_status.status != "pending":
                    settle(noted, (sim_id, order_id), order_status.status)
        await asyncio.sleep(0.2)


def _url(stage: Stage, name: str) -> str | None:
    actor: Actor = next(actor for actor in stage.actors if actor.name == name)
    return None if actor.service is None else actor.service.url
