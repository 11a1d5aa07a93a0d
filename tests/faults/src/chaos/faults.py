"""Each kind of fault, done to a stage."""

import asyncio
import contextlib
import signal
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

import redis as client

from chaos import schedule
from chaos.schedule import Fault
from chaos.stage import SIMS, Actor, Stage
from fixtures.faulty_proxy import FaultyProxy
from fixtures.topologies import OneNode, SentinelTrio, SixNodes
from sector.state.keys import SimKeys

_EXEC = b"\r\nEXEC\r\n"
_ADMIT = b"\r\nEVALSHA\r\n"


@dataclass(frozen=True, slots=True)
class Ended:
    """A worker that was ended while it held the lease of a sim. `at_ms`: when, on the clock of this machine."""

    sim_id: str
    kind: str
    at_ms: int


@dataclass(slots=True)
class Injected:
    """What was done: how often each kind, which holders of leases were ended, and what went wrong with the processes."""

    counts: Counter[str] = field(default_factory=Counter)
    ended: list[Ended] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)


class Injector:
    """Injects faults. One that finds nothing to hit, since all that it could hit is being hit, is left out and not counted."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self.done = Injected()

    async def inject(self, fault: Fault) -> None:
        """Do it; returns when what it hit is whole again."""
        if fault.kind in _OF_REDIS:
            async with self._stage.redis_busy:
                await _OF_REDIS[fault.kind](self._stage, fault)
            self.done.counts[fault.kind] += 1
            return
        free = await self._candidates(fault.kind)
        if not free:
            return
        actor = free[int(fault.pick * len(free))]
        actor.busy = True
        try:
            await self._hit(actor, fault)
        finally:
            actor.busy = False

    async def _candidates(self, kind: str) -> list[Actor]:
        """Return whom a fault of a kind can hit: of the workers, where it is about a tick, those that tick."""
        workers, apis = self._stage.free("worker"), self._stage.free("api")
        if kind in schedule.TICK_EXEC:
            ticking = [worker for worker in workers if await self._stage.held_by(worker)]
            # It may have been hit while we looked.
            return [worker for worker in ticking if worker in self._stage.free("worker")]
        if kind.startswith("connections"):
            return [*workers, *apis]
        return workers if kind.startswith("worker") else apis

    async def _hit(self, actor: Actor, fault: Fault) -> None:
        match fault.kind:
            case schedule.WORKER_PAUSED:
                actor.send(signal.SIGSTOP)
                # Beyond its lease, so that another goes on.
                await asyncio.sleep(self._stage.lease_s + fault.lasting_s)
                actor.send(signal.SIGCONT)
            case schedule.WORKER_KILLED | schedule.API_KILLED:
                await self._end(actor, fault, signal.SIGKILL)
            case schedule.WORKER_TERMINATED | schedule.API_TERMINATED:
                await self._end(actor, fault, signal.SIGTERM)
            case _:
                assert actor.proxy is not None
                if not await _disturb(actor.proxy, fault, self._stage.lease_s):
                    return
        self.done.counts[fault.kind] += 1

    async def _end(self, actor: Actor, fault: Fault, how: signal.Signals) -> None:
        held = await self._stage.held_by(actor) if actor.kind == "worker" else []
        at_ms = time.time_ns() // 1_000_000
        code = await actor.end(how)
        self.done.ended += [Ended(sim_id, fault.kind, at_ms) for sim_id in held]
        if how is signal.SIGTERM and code != 0:
            self.done.wrong.append(f"{actor.name} ended with {code} after SIGTERM")
        await asyncio.sleep(fault.lasting_s)
        # Until it answers, a signal would hit Python as it starts, which is no matter of ours.
        await actor.start()


async def _disturb(proxy: FaultyProxy, fault: Fault, lease_s: float) -> bool:
    """Do something to the connections of one process; says whether it came to it."""
    match fault.kind:
        case schedule.SLOW:
            await proxy.slow(fault.lasting_s / 10, fault.lasting_s)
        case schedule.HALF_OPEN:
            await proxy.half_open(fault.lasting_s)
        case schedule.CUT:
            proxy.cut()
        case schedule.TICK_CUT_BEFORE | schedule.ORDER_CUT_BEFORE:
            proxy.cut_before(_EXEC if fault.kind == schedule.TICK_CUT_BEFORE else _ADMIT)
            return await proxy.came(lease_s)
        case schedule.TICK_CUT_AFTER | schedule.ORDER_CUT_AFTER:
            proxy.cut_after(_EXEC if fault.kind == schedule.TICK_CUT_AFTER else _ADMIT)
            return await proxy.came(lease_s)
        case schedule.TICK_HELD:
            # Until after the lease has lapsed, and another has ticked.
            held_s = lease_s + fault.lasting_s
            proxy.hold(_EXEC, held_s)
            if not await proxy.came(lease_s):
                return False
            await asyncio.sleep(held_s)
    return True


async def _crash(stage: Stage, _: Fault) -> None:
    assert isinstance(stage.servers, OneNode)
    await asyncio.to_thread(stage.servers.crash)


async def _kill_connections(stage: Stage, _: Fault) -> None:
    for node in stage.servers.nodes:
        with contextlib.suppress(client.RedisError):
            await asyncio.to_thread(node.client.execute_command, "CLIENT KILL", "TYPE", "normal", "SKIPME", "yes")


async def _fail_over(stage: Stage, fault: Fault) -> None:
    if isinstance(stage.servers, SentinelTrio):
        await asyncio.to_thread(stage.servers.fail_over_and_heal)
    elif isinstance(stage.servers, SixNodes):
        await asyncio.to_thread(stage.servers.fail_over_and_heal, _head(fault))


async def _migrate(stage: Stage, fault: Fault) -> None:
    assert isinstance(stage.servers, SixNodes)
    await asyncio.to_thread(stage.servers.migrate, _head(fault))


def _head(fault: Fault) -> str:
    return SimKeys(SIMS[int(fault.pick * len(SIMS))]).head


_OF_REDIS: Mapping[str, Callable[[Stage, Fault], Awaitable[None]]] = {
    schedule.CRASH: _crash,
    schedule.KILLED_CONNECTIONS: _kill_connections,
    schedule.FAILOVER: _fail_over,
    schedule.MIGRATION: _migrate,
}
