"""A tenure: one worker's time with one sim, from taking its lease until the lease is given back or lost."""

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass

from redis.exceptions import RedisError
from structlog.contextvars import bind_contextvars

from sector.models.frame import FrameError
from sector.process import backoff, wait_for_stop
from sector.process.counting import count_soon
from sector.process.tracing import Attributes, Traces
from sector.state import founding, sims
from sector.state import lease as leases
from sector.state.connect import Client
from sector.state.errors import CommitConflict, LeaseLost, SimNotFound, StateError, WorldFailed
from sector.state.faults import concerns_one_sim, describe
from sector.state.lease import Lease
from sector.state.ticker import Tick, Ticker, Took
from sector.state.world import World
from sector.worker.metrics import CONFLICTS, FAILURES, LATENESS, LEASES_LOST, OTHERS, Counted
from sector.worker.pace import Pace
from sector.worker.settings import WorkerSettings

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Means[S]:
    """What all tenures of a worker share. `gate` bounds how many of them talk to Redis at once."""

    settings: WorkerSettings
    redis: Client
    world: World[S]
    holder: str
    gate: asyncio.Semaphore
    traces: Traces
    fault: Callable[[str, str | None, str, bool], None]
    """Called with the id of a sim, what is wrong with it, or None, a detail, and whether it is more than that sim that is wrong."""


class Tenure[S]:
    """Takes the lease of one sim if it is free, ticks at its pace while it holds, and gives it back at the end."""

    def __init__(self, means: Means[S], sim_id: str, *, founds: bool) -> None:
        self._means = means
        self._founds = founds
        self._end = asyncio.Event()
        self._failed = ""
        self._pace = Pace.spread(means.settings.tick_delay)
        self._due_s: float | None = None
        self._counted = Counted(sim_id if sim_id in means.settings.named else OTHERS)
        self.sim_id = sim_id
        self.lease: Lease | None = None
        self.tick = -1
        self.conflicts = 0
        self.failed = False
        """Whether it gave up because the stored data of the sim is invalid."""

    @property
    def late(self) -> int:
        """How many ticks were late."""
        return self._pace.late

    def end(self) -> None:
        """Have it end after the tick under way."""
        self._end.set()

    async def run(self) -> None:
        """Hold the sim until `end`, or until the lease is lost. Whatever fails is reported, and tried again while the lease lasts.

        A sim that goes on failing is given back before the lease lapses: another worker may be able to tick it.
        """
        bind_contextvars(sim=self.sim_id)
        try:
            ticker = await self._take()
            if ticker is not None:
                await self._tick_while_held(ticker)
        except LeaseLost as lost:
            self.lease = None
            LEASES_LOST.inc()
            log.warning("%s; waiting for it", lost)
        except SimNotFound as gone:
            log.info("%s; done with it", gone)
        except (RedisError, StateError, FrameError) as error:
            self._fault(error)
            self.failed = concerns_one_sim(error)
            if not self.failed:
                await wait_for_stop(self._end, next(backoff()))
        finally:
            await self._give_back()

    async def _take(self) -> Ticker[S] | None:
        means, sim_id = self._means, self.sim_id
        async with means.gate:
            if self._founds and await sims.found(means.redis, sim_id, means.world, means.settings.sim_config):
                log.info("founded sim %s: %d systems", sim_id, means.settings.sim_config.systems)
            if not self._founds and (done := await founding.carry_out(means.redis, sim_id, means.world)):
                log.info("sim %s: %s", sim_id, done)
            self.lease = await leases.acquire(means.redis, sim_id, means.holder, means.settings.lease_ttl_ms)
            if self.lease is None:
                return None
            self._counted.taken(self.lease.epoch)
            log.info("holding the lease of sim %s, epoch %d", sim_id, self.lease.epoch)
            config, map_blob = await sims.read_founding(means.redis, sim_id)
        return Ticker(
            means.redis,
            means.world,
            config,
            map_blob,
            self.lease,
            tick_length_ms=round(means.settings.tick_delay * 1000),
            max_history_bytes=means.settings.max_history_bytes,
        )

    async def _tick_while_held(self, ticker: Ticker[S]) -> None:
        """Tick until told to end, or until the lease is lost. Redis may be away meanwhile: the lease may well outlast that."""
        most_s = ticker.lease.ttl_ms / 3000
        pauses, well_s = backoff(most_s=most_s), time.monotonic()
        while not self._end.is_set():
            try:
                async with self._means.gate:
                    await self._tick_once(ticker)
                self._means.fault(self.sim_id, None, "", False)
                pauses, well_s = backoff(most_s=most_s), time.monotonic()
                await self._wait_for_tick(ticker.lease)
            except (LeaseLost, SimNotFound):
                raise
            except (RedisError, StateError, FrameError) as error:
                if concerns_one_sim(error) and time.monotonic() - well_s > ticker.lease.ttl_ms / 2000:
                    raise
                self._fault(error)
                await wait_for_stop(self._end, next(pauses))

    async def _tick_once(self, ticker: Ticker[S]) -> None:
        if self._due_s is not None:
            count_soon(LATENESS.observe, max(time.monotonic() - self._due_s, 0.0))
            self._due_s = None
        try:
            tick = await ticker.tick()
        except CommitConflict as conflict:
            self.conflicts += 1
            CONFLICTS.inc()
            log.warning("%s; reading again", conflict)
            return
        if tick.finished and self.tick != tick.head.tick:
            log.info("sim %s finished at tick %d", self.sim_id, tick.head.tick)
        self.tick = tick.head.tick
        bind_contextvars(tick=self.tick)
        self._counted.ticked(tick)
        if tick.took is not None:
            self._trace(tick, tick.took)

    def _trace(self, tick: Tick, took: Took) -> None:
        """Tell of the tick, and of its phases, to each trace that led to it."""
        if not tick.traces:
            return
        ended_ns = time.time_ns()
        told: Attributes = {
            "sector.sim": self.sim_id,
            "sector.tick": tick.head.tick,
            "sector.orders": tick.orders,
            "sector.epoch": tick.head.epoch,
            "sector.worker": self._means.settings.worker_id,
        }
        for parent in tick.traces:
            began_ns = ended_ns - round(sum(took) * 1e9)
            own = self._means.traces.note("tick", parent, began_ns, ended_ns, told)
            for name, took_s in zip(("read", "compute", "write"), took, strict=True):
                after_ns = began_ns + round(took_s * 1e9)
                self._means.traces.note(name, own, began_ns, after_ns, {})
                began_ns = after_ns

    async def _wait_for_tick(self, lease: Lease) -> None:
        """Wait until the next tick is due, renewing the lease on the way where the period is long."""
        due_s = time.monotonic() + self._pace.until_next()
        self._due_s = due_s - self._pace.late_s
        renew_s = lease.ttl_ms / 3000
        while (left_s := due_s - time.monotonic()) > renew_s and not await wait_for_stop(self._end, renew_s):
            async with self._means.gate:
                await leases.renew(self._means.redis, lease)
        await wait_for_stop(self._end, left_s if not self._end.is_set() else 0)

    def _fault(self, error: RedisError | StateError | FrameError) -> None:
        FAILURES.labels(type(error).__name__).inc()
        if isinstance(error, RedisError):
            blocks = not concerns_one_sim(error)
            self._means.fault(self.sim_id, describe(error), f"{type(error).__name__}: {error}", blocks)
            return
        fault = str(error)
        if isinstance(error, WorldFailed):
            # Its text has that of any exception: it is for the log.
            fault = f"the world failed at tick {error.tick}, the log says why"
            if str(error) != self._failed:
                self._failed = str(error)
                log.error("%s", error, exc_info=error)
        self._means.fault(self.sim_id, fault, "", False)

    async def _give_back(self) -> None:
        if self.lease is None:
            return
        lease, self.lease = self.lease, None
        try:
            async with self._means.gate:
                await leases.release(self._means.redis, lease)
        except (RedisError, StateError) as error:
            log.warning("could not give the lease of sim %s back, it lapses by itself: %s", self.sim_id, error)
        else:
            log.info("gave the lease of sim %s back", self.sim_id)
