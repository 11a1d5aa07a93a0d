"""The worker: it finds the sims and the owners of their leases, and acquires and releases leases until all sims are shared evenly."""

import asyncio
import logging
import random
import secrets
import time
from collections import Counter
from collections.abc import Mapping, Sequence

from pydantic import JsonValue
from redis.exceptions import RedisError, ResponseError
from structlog.contextvars import bind_contextvars

from sector.process import Health, backoff, wait_for_stop
from sector.process.tracing import Traces
from sector.state.errors import StateError
from sector.state.redis.client import Client
from sector.state.redis.error_messages import concerns_one_sim, describe
from sector.state.sims import lifecycle
from sector.state.tick import lease as leases
from sector.state.tick import membership
from sector.state.world import World
from sector.worker.fair_share import fair_share
from sector.worker.metrics import SIMS_HELD, SIMS_SERVED
from sector.worker.settings import WorkerSettings
from sector.worker.sim_errors import SimErrors
from sector.worker.sim_retries import SimRetries
from sector.worker.sim_runner import SimRunner, WorkerContext
from sector.worker.stall_detector import StallDetector

log = logging.getLogger(__name__)

REDIS = "redis"
ROSTER, SIM_LIST = "roster", "list of sims"
"""Conditions of a worker."""
_REDIS_SLOTS = 64
_MAX_LISTED = 100
_MAX_SHORTENED = 100
"""The maximum number of leases that are shortened at a time. Each takes a command."""


class Worker[S]:
    """Owns its share of the sims, with one runner for each."""

    def __init__(
        self,
        settings: WorkerSettings,
        redis: Client,
        world: World[S],
        health: Health,
        traces: Traces | None = None,
    ) -> None:
        self._settings = settings
        self._redis = redis
        self._health = health
        self._holder = f"{settings.worker_id}:{secrets.token_hex(4)}"
        self._context = WorkerContext(
            settings, redis, world, self._holder, asyncio.Semaphore(_REDIS_SLOTS), traces or Traces(), self._set_error
        )
        self._runners: dict[str, tuple[SimRunner[S], asyncio.Task[None]]] = {}
        self._sims: list[str] = []
        self._free_before: set[str] = set()
        self._shorten_at_s = 0.0
        self._errors = SimErrors(health)
        self._retries = SimRetries()
        self._stalls = StallDetector(
            redis, self._holder, lease_ttl_s=settings.lease_ttl_ms / 1000, tick_delay_s=settings.tick_delay
        )

    async def details(self) -> dict[str, JsonValue]:
        """Return the details that `/health` shows of this worker, with the ticks of at most 100 sims that it holds."""
        owned = [runner for runner, _ in self._runners.values() if runner.lease is not None]
        sims: dict[str, JsonValue] = {
            runner.sim_id: {
                "epoch": runner.lease.epoch if runner.lease else None,
                "tick": -1 if runner.tick is None else runner.tick,
                "late_ticks": runner.late,
                "conflicts": runner.conflicts,
            }
            for runner in owned[:_MAX_LISTED]
        }
        return {
            "worker": self._settings.worker_id,
            "serves": self._settings.sim_id,
            "sims_served": len(self._sims),
            "sims_held": len(owned),
            "late_ticks": sum(runner.late for runner in owned),
            "held": sims,
        }

    def sample(self) -> None:
        """Set the gauges: how many sims there are, and how many this worker holds."""
        SIMS_SERVED.set(len(self._sims))
        SIMS_HELD.set(sum(runner.lease is not None for runner, _ in self._runners.values()))

    async def run(self, stop: asyncio.Event) -> None:
        """Rebalance the leases until `stop`, and then release all leases."""
        settings = self._settings
        bind_contextvars(worker=settings.worker_id)
        # A worker without sims acquires a released lease within a tick, with its second check at the latest.
        max_interval_s = min(settings.lease_ttl_ms / 3000, 1.0)
        interval_s = min(max(settings.tick_delay / 4, 0.02), max_interval_s)
        pauses = backoff(max_s=max(interval_s, 0.5))
        try:
            while not stop.is_set():
                began_s = time.thread_time()
                try:
                    await self._rebalance()
                    self._health.set_ok(REDIS)
                    pauses = backoff(max_s=max(interval_s, 0.5))
                    # Reading very many leases takes processor time: at most a twentieth of it. Waiting for Redis takes none.
                    await wait_for_stop(stop, min(max(interval_s, 20 * (time.thread_time() - began_s)), max_interval_s))
                except RedisError as error:
                    self._stalls.reset()
                    self._health.set_error(
                        REDIS, describe(error), settings.redis_url.where, cause=f"{type(error).__name__}: {error}"
                    )
                    await wait_for_stop(stop, next(pauses))
        finally:
            await self._stop_all()

    async def _rebalance(self) -> None:
        """Read the owners of all leases, and acquire or release leases accordingly."""
        self._remove_ended()
        self._sims = await self._list_sims()
        present = await self._heartbeat()
        holders = dict(zip(self._sims, await leases.holders(self._redis, self._sims), strict=True))
        await self._shorten_leases(holders, present)
        self._retries.cancel_obsolete(holders, self._runners.keys())
        owned = Counter(dict.fromkeys(present, 0))
        owned.update(holder for holder in holders.values() if holder is not None and holder != self._holder)
        owned[self._holder] = len(self._runners)
        share = fair_share(self._holder, owned, len(self._sims))
        for runner, _ in list(self._runners.values())[share:]:
            runner.stop()
        self._start_runners([sim_id for sim_id, holder in holders.items() if holder is None], share)
        await self._detect_stalls(holders)

    async def _detect_stalls(self, holders: Mapping[str, str | None]) -> None:
        """Check which sims tick. The error of a sim that is not held here stays until the sim ticks again, or is deleted."""
        elsewhere = self._errors.sim_ids - self._runners.keys() - self._retries.sim_ids
        ticking = await self._stalls.check(holders, elsewhere)
        self._errors.set_stalled(self._stalls.errors)
        for sim_id in elsewhere & ticking | elsewhere - holders.keys():
            self._errors.set_ok(sim_id, ticks_here=False)

    async def _shorten_leases(self, holders: Mapping[str, str | None], present: Sequence[str]) -> None:
        """Let the leases of stopped workers expire in time, even if the clock of Redis was set back."""
        now_s = time.monotonic()
        present_holders = {self._holder, *present}
        orphans = [sim_id for sim_id, holder in holders.items() if holder is not None and holder not in present_holders]
        if orphans and now_s >= self._shorten_at_s:
            self._shorten_at_s = now_s + self._settings.lease_ttl_ms / 1000
            await leases.shorten(self._redis, orphans[:_MAX_SHORTENED], self._settings.lease_ttl_ms)

    async def _heartbeat(self) -> list[str]:
        """Register this worker, and return the present ones. A damaged list is reported; it only serves to share sims evenly."""
        try:
            present = await membership.heartbeat(
                self._redis, self._settings.sim_id, self._holder, self._settings.lease_ttl_ms
            )
        except ResponseError as error:
            if not concerns_one_sim(error):
                raise
            fault = "the list of workers in Redis is damaged, so sims may be shared unevenly: delete the key workers"
            self._health.set_error(ROSTER, fault, cause=str(error), blocks=False)
            return [self._holder]
        if ROSTER in self._health.errors:
            self._health.set_ok(ROSTER)
        return present

    def _start_runners(self, free: list[str], share: int) -> None:
        """Start runners for free sims up to the share. A sim that was free at the last look too is started above the share."""
        pending = self._retries.pending()
        candidates = [sim_id for sim_id in free if sim_id not in self._runners and sim_id not in pending]
        random.shuffle(candidates)
        room = max(share - len(self._runners), 0)
        for sim_id in [*candidates[:room], *(each for each in candidates[room:] if each in self._free_before)]:
            runner = SimRunner(self._context, sim_id, creates=sim_id in self._settings.named)
            self._runners[sim_id] = (runner, asyncio.create_task(runner.run(), name=f"runner of {sim_id}"))
        self._free_before = set(candidates)

    async def _list_sims(self) -> list[str]:
        named = self._settings.named
        if not self._settings.serves_all:
            return named
        try:
            listed = await lifecycle.list_ids(self._redis)
        except ResponseError as error:
            if not concerns_one_sim(error):
                raise
            fault = "the list of sims in Redis is damaged, so only named and owned sims are ticked: write the key sims again"
            self._health.set_error(SIM_LIST, fault, cause=str(error), blocks=False)
            listed = list(self._runners)
        else:
            if SIM_LIST in self._health.errors:
                self._health.set_ok(SIM_LIST)
        return list(dict.fromkeys([*named, *listed]))

    def _remove_ended(self) -> None:
        """Remove the runners that ended, and schedule the retries of those that failed."""
        for sim_id, (runner, task) in list(self._runners.items()):
            if not task.done():
                continue
            del self._runners[sim_id]
            self._errors.stop_ticking(sim_id)
            if (error := task.exception()) is not None:
                # An unexpected error of one sim must not stop the others.
                extra = {"sim": sim_id, "error": type(error).__name__}
                log.error("sim runner failed", exc_info=error, extra=extra)
                self._errors.set_error(sim_id, f"{type(error).__name__}: see the log")
            if runner.gave_up or error is not None:
                self._retries.schedule(sim_id)

    def _set_error(self, sim_id: str, error: str | None, cause: str, blocks: bool) -> None:
        """Set or remove the error of a sim, as its runner reports it."""
        if error is None:
            self._retries.cancel(sim_id)
            self._errors.set_ok(sim_id, ticks_here=sim_id in self._runners)
        else:
            self._errors.set_error(sim_id, error, cause, blocks=blocks)

    async def _stop_all(self) -> None:
        """Stop the runners, and deregister this worker, so that the other workers acquire the released leases."""
        for runner, _ in self._runners.values():
            runner.stop()
        tasks = [task for _, task in self._runners.values()]
        try:
            # An unexpected error of one sim must not keep the leases of the others.
            failure, *_ = await asyncio.gather(self._deregister(), *tasks, return_exceptions=True)
            if failure is not None:
                raise failure
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _deregister(self) -> None:
        try:
            await membership.deregister(self._redis, self._settings.sim_id, self._holder)
        except (RedisError, StateError) as error:
            log.warning("worker deregistration failed", extra={"holder": self._holder, "error": str(error)})
