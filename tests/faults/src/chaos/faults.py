"""Injects each kind of fault into the system under test."""

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
from chaos.system import SIMS, ServiceProcess, SystemUnderTest
from fixtures.faulty_proxy import FaultyProxy
from fixtures.topologies import OneNode, SentinelTrio, SixNodes
from sector.state.keys import SimKeys

_EXEC = b"\r\nEXEC\r\n"
_ADMIT = b"\r\nEVALSHA\r\n"


@dataclass(frozen=True, slots=True)
class EndedHolder:
    """A worker that was ended while it held the lease of a sim. `at_ms`: when, on the clock of this machine."""

    sim_id: str
    kind: str
    at_ms: int


@dataclass(slots=True)
class InjectionLog:
    """The injected faults by kind, the lease holders that were ended, and unexpected exits of processes."""

    counts: Counter[str] = field(default_factory=Counter)
    ended: list[EndedHolder] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)


class Injector:
    """Injects faults. A fault without a free target is skipped and not counted."""

    def __init__(self, system: SystemUnderTest) -> None:
        self._system = system
        self.done = InjectionLog()

    async def inject(self, fault: Fault) -> None:
        """Inject a fault; return when its target has recovered."""
        if fault.kind in _OF_REDIS:
            async with self._system.redis_busy:
                await _OF_REDIS[fault.kind](self._system, fault)
            self.done.counts[fault.kind] += 1
            return
        free = await self._candidates(fault.kind)
        if not free:
            return
        process = free[int(fault.pick * len(free))]
        process.busy = True
        try:
            await self._hit(process, fault)
        finally:
            process.busy = False

    async def _candidates(self, kind: str) -> list[ServiceProcess]:
        """Return the possible targets of a kind of fault. Faults of a tick hit only workers that hold a lease."""
        workers, apis = self._system.free("worker"), self._system.free("api")
        if kind in schedule.TICK_EXEC:
            ticking = [worker for worker in workers if await self._system.held_by(worker)]
            # Another fault may have hit it meanwhile.
            return [worker for worker in ticking if worker in self._system.free("worker")]
        if kind.startswith("connections"):
            return [*workers, *apis]
        return workers if kind.startswith("worker") else apis

    async def _hit(self, process: ServiceProcess, fault: Fault) -> None:
        match fault.kind:
            case schedule.WORKER_PAUSED:
                process.send(signal.SIGSTOP)
                # Longer than its lease, so that another worker takes over.
                await asyncio.sleep(self._system.lease_s + fault.lasting_s)
                process.send(signal.SIGCONT)
            case schedule.WORKER_KILLED | schedule.API_KILLED:
                await self._end(process, fault, signal.SIGKILL)
            case schedule.WORKER_TERMINATED | schedule.API_TERMINATED:
                await self._end(process, fault, signal.SIGTERM)
            case _:
                assert process.proxy is not None
                if not await _disturb(process.proxy, fault, self._system.lease_s):
                    return
        self.done.counts[fault.kind] += 1

    async def _end(self, process: ServiceProcess, fault: Fault, how: signal.Signals) -> None:
        held = await self._system.held_by(process) if process.kind == "worker" else []
        at_ms = time.time_ns() // 1_000_000
        code = await process.end(how)
        self.done.ended += [EndedHolder(sim_id, fault.kind, at_ms) for sim_id in held]
        if how is signal.SIGTERM and code != 0:
            self.done.wrong.append(f"{process.name} ended with {code} after SIGTERM")
        await asyncio.sleep(fault.lasting_s)
        # Wait until it answers: a signal during the start of Python is not part of the test.
        await process.start()


async def _disturb(proxy: FaultyProxy, fault: Fault, lease_s: float) -> bool:
    """Disturb the connections of one process; return whether the fault took effect."""
    match fault.kind:
        case schedule.SLOW:
            await proxy.slow(fault.lasting_s / 10, fault.lasting_s)
        case schedule.HALF_OPEN:
            await proxy.half_open(fault.lasting_s)
        case schedule.RESET:
            proxy.cut()
        case schedule.TICK_REQUEST_LOST | schedule.ORDER_REQUEST_LOST:
            proxy.cut_before(_EXEC if fault.kind == schedule.TICK_REQUEST_LOST else _ADMIT)
            return await proxy.wait_for_command(lease_s)
        case schedule.TICK_REPLY_LOST | schedule.ORDER_REPLY_LOST:
            proxy.cut_after(_EXEC if fault.kind == schedule.TICK_REPLY_LOST else _ADMIT)
            return await proxy.wait_for_command(lease_s)
        case schedule.TICK_DELAYED:
            # Until the lease has expired and another worker has ticked.
            held_s = lease_s + fault.lasting_s
            proxy.hold(_EXEC, held_s)
            if not await proxy.wait_for_command(lease_s):
                return False
            await asyncio.sleep(held_s)
    return True


async def _crash(system: SystemUnderTest, _: Fault) -> None:
    assert isinstance(system.servers, OneNode)
    await asyncio.to_thread(system.servers.crash)


async def _kill_connections(system: SystemUnderTest, _: Fault) -> None:
    for node in system.servers.nodes:
        with contextlib.suppress(client.RedisError):
            await asyncio.to_thread(node.client.execute_command, "CLIENT KILL", "TYPE", "normal", "SKIPME", "yes")


async def _fail_over(system: SystemUnderTest, fault: Fault) -> None:
    if isinstance(system.servers, SentinelTrio):
        await asyncio.to_thread(system.servers.fail_over_and_heal)
    elif isinstance(system.servers, SixNodes):
        await asyncio.to_thread(system.servers.fail_over_and_heal, _head(fault))


async def _migrate(system: SystemUnderTest, fault: Fault) -> None:
    assert isinstance(system.servers, SixNodes)
    await asyncio.to_thread(system.servers.migrate, _head(fault))


def _head(fault: Fault) -> str:
    return SimKeys(SIMS[int(fault.pick * len(SIMS))]).head


_OF_REDIS: Mapping[str, Callable[[SystemUnderTest, Fault], Awaitable[None]]] = {
    schedule.CRASH: _crash,
    schedule.KILLED_CONNECTIONS: _kill_connections,
    schedule.FAILOVER: _fail_over,
    schedule.MIGRATION: _migrate,
}
