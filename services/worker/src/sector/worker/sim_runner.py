"""The runner of one sim: it acquires the lease, ticks the sim, and releases the lease."""

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass

from redis.exceptions import RedisError
from structlog.contextvars import bind_contextvars

from sector.models.frame import FrameError
from sector.process import backoff, wait_for_stop
from sector.process.deferred_metrics import defer_metric
from sector.process.tracing import Attributes, Traces
from sector.state.errors import CommitConflict, LeaseLost, SimNotFound, StateError, WorldFailed
from sector.state.redis.client import Client
from sector.state.redis.error_messages import concerns_one_sim, describe
from sector.state.sims import lifecycle, requests
from sector.state.tick import lease as leases
from sector.state.tick.lease import Lease
from sector.state.tick.outcome import CommittedTick
from sector.state.tick.transaction import Ticker
from sector.state.world import World
from sector.worker.metrics import CONFLICTS, FAILURES, LATENESS, LEASES_LOST, OTHERS, SimMetrics
from sector.worker.settings import WorkerSettings
from sector.worker.tick_schedule import TickSchedule

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class WorkerContext[S]:
    """What all runners of a worker share. `redis_slots` limits how many of them use Redis at the same time."""

    settings: WorkerSettings
    redis: Client
    world: World[S]
    holder: str
    redis_slots: asyncio.Semaphore
    traces: Traces
    report: Callable[[str, str | None, str, bool], None]
    """Called with the id of a sim, its error or None, the cause for the log, and whether the error affects more than that sim."""


class SimRunner[S]:
    """Acquires the lease of one sim if it is free, ticks the sim while it holds the lease, and then releases it."""

    def __init__(self, context: WorkerContext[S], sim_id: str, *, creates: bool) -> None:
        self._context = context
        self._creates = creates
        self._stop = asyncio.Event()
        self._last_failure: str | None = None
        self._schedule = TickSchedule.with_random_phase(context.settings.tick_delay)
        self._due_s: float | None = None
        self._metrics = SimMetrics(sim_id if sim_id in context.settings.named else OTHERS)
        self.sim_id = sim_id
        self.lease: Lease | None = None
        self.tick: int | None = None
        self.conflicts = 0
        self.gave_up = False
        """Whether the runner gave up because the stored data of the sim is invalid."""

    @property
    def late(self) -> int:
        """How many ticks were late."""
        return self._schedule.late

    def stop(self) -> None:
        """Let it end after the current tick."""
        self._stop.set()

    async def run(self) -> None:
        """Run the sim until `stop`, or until the lease is lost. Errors are reported, and retried while the lease lasts.

        The lease of a sim that continues to fail is released before it expires: another worker may be able to tick it.
        """
        bind_contextvars(sim=self.sim_id)
        try:
            ticker = await self._acquire()
            if ticker is not None:
                await self._tick_until_stopped(ticker)
        except LeaseLost as error:
            self.lease = None
            LEASES_LOST.inc()
            log.warning("lease lost", extra={"sim": self.sim_id, "holder": error.holder})
        except SimNotFound as error:
            log.info("sim deleted, runner stops", extra={"sim": error.sim_id})
        except (RedisError, StateError, FrameError) as error:
            self._report_error(error)
            self.gave_up = concerns_one_sim(error)
            if not self.gave_up:
                await wait_for_stop(self._stop, next(backoff()))
        finally:
            await self._release()

    async def _acquire(self) -> Ticker[S] | None:
        context, sim_id = self._context, self.sim_id
        async with context.redis_slots:
            if self._creates and await lifecycle.create(
                context.redis, sim_id, context.world, context.settings.sim_config
            ):
                log.info("sim created", extra={"sim": sim_id, "systems": context.settings.sim_config.systems})
            if not self._creates and (created := await requests.reconcile(context.redis, sim_id, context.world)):
                log.info("sim request completed", extra={"sim": sim_id, "outcome": created})
            self.lease = await leases.acquire(context.redis, sim_id, context.holder, context.settings.lease_ttl_ms)
            if self.lease is None:
                return None
            self._metrics.count_lease(self.lease.epoch)
            log.info("lease acquired", extra={"sim": sim_id, "epoch": self.lease.epoch})
            config, map_blob = await lifecycle.load_manifest(context.redis, sim_id)
        return Ticker(
            context.redis,
            context.world,
            config,
            map_blob,
            self.lease,
            tick_length_ms=round(context.settings.tick_delay * 1000),
            max_history_bytes=context.settings.max_history_bytes,
        )

    async def _tick_until_stopped(self, ticker: Ticker[S]) -> None:
        """Tick until `stop`, or until the lease is lost. The lease may outlast an outage of Redis."""
        max_pause_s = ticker.lease.ttl_ms / 3000
        pauses, last_success_s = backoff(max_s=max_pause_s), time.monotonic()
        while not self._stop.is_set():
            try:
                async with self._context.redis_slots:
                    await self._tick_once(ticker)
                self._context.report(self.sim_id, None, "", False)
                pauses, last_success_s = backoff(max_s=max_pause_s), time.monotonic()
                await self._wait_for_tick(ticker.lease)
            except (LeaseLost, SimNotFound):
                raise
            except (RedisError, StateError, FrameError) as error:
                if concerns_one_sim(error) and time.monotonic() - last_success_s > ticker.lease.ttl_ms / 2000:
                    raise
                self._report_error(error)
                await wait_for_stop(self._stop, next(pauses))

    async def _tick_once(self, ticker: Ticker[S]) -> None:
        if self._due_s is not None:
            defer_metric(LATENESS.observe, max(time.monotonic() - self._due_s, 0.0))
            self._due_s = None
        try:
            tick = await ticker.tick()
        except CommitConflict as conflict:
            self.conflicts += 1
            CONFLICTS.inc()
            extra = {"sim": self.sim_id, "tick": conflict.tick}
            log.warning("tick commit conflict, retrying", extra=extra)
            return
        if tick.finished and self.tick != tick.head.tick:
            log.info("sim finished", extra={"sim": self.sim_id, "tick": tick.head.tick})
        self.tick = tick.head.tick
        bind_contextvars(tick=self.tick)
        if isinstance(tick, CommittedTick):
            self._metrics.count_tick(tick)
            self._trace(tick)

    def _trace(self, tick: CommittedTick) -> None:
        """Add a span of the tick, with one for each phase, to each trace that led to it."""
        if not tick.traces:
            return
        ended_ns = time.time_ns()
        attributes: Attributes = {
            "sector.sim": self.sim_id,
            "sector.tick": tick.head.tick,
            "sector.orders": tick.orders,
            "sector.epoch": tick.head.epoch,
            "sector.worker": self._context.settings.worker_id,
        }
        for parent in tick.traces:
            began_ns = ended_ns - round(sum(tick.durations) * 1e9)
            own = self._context.traces.record("tick", parent, began_ns, ended_ns, attributes)
            for name, duration_s in zip(("read", "compute", "write"), tick.durations, strict=True):
                after_ns = began_ns + round(duration_s * 1e9)
                self._context.traces.record(name, own, began_ns, after_ns, {})
                began_ns = after_ns

    async def _wait_for_tick(self, lease: Lease) -> None:
        """Wait until the next tick is due. If the period is long, renew the lease in the meantime."""
        due_s = time.monotonic() + self._schedule.advance()
        self._due_s = due_s - self._schedule.late_s
        renew_s = lease.ttl_ms / 3000
        while (left_s := due_s - time.monotonic()) > renew_s and not await wait_for_stop(self._stop, renew_s):
            async with self._context.redis_slots:
                await leases.renew(self._context.redis, lease)
        await wait_for_stop(self._stop, left_s if not self._stop.is_set() else 0)

    def _report_error(self, error: RedisError | StateError | FrameError) -> None:
        FAILURES.labels(type(error).__name__).inc()
        if isinstance(error, RedisError):
            blocks = not concerns_one_sim(error)
            self._context.report(self.sim_id, describe(error), f"{type(error).__name__}: {error}", blocks)
            return
        fault = str(error)
        if isinstance(error, WorldFailed):
            # The text may be that of any exception, so it is only logged.
            fault = f"the world failed at tick {error.tick}: see the log"
            if str(error) != self._last_failure:
                self._last_failure = str(error)
                extra = {"sim": self.sim_id, "tick": error.tick, "error": str(error)}
                log.error("world failed", exc_info=error, extra=extra)
        self._context.report(self.sim_id, fault, "", False)

    async def _release(self) -> None:
        if self.lease is None:
            return
        lease, self.lease = self.lease, None
        try:
            async with self._context.redis_slots:
                await leases.release(self._context.redis, lease)
        except (RedisError, StateError) as error:
            log.warning("lease release failed", extra={"sim": self.sim_id, "error": str(error)})
        else:
            log.info("lease released", extra={"sim": self.sim_id})
