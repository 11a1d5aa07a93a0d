"""The worker: it finds the sims and the owners of their leases, and acquires and releases leases until all sims are shared evenly."""

import asyncio
import logging
import random
import secrets
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

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
from sector.worker.metrics import SIMS_HELD, SIMS_SERVED
from sector.worker.settings import WorkerSettings
from sector.worker.share import fair_share
from sector.worker.sim_runner import SimRunner, WorkerContext
from sector.worker.standstill import Standstill

log = logging.getLogger(__name__)

REDIS, SIMS = "redis", "sims"
ROSTER, LIST = "roster", "list of sims"
_REDIS_SLOTS = 64
_MAX_LISTED = 100
_MAX_SHORTENED = 100
"""Leases that are shortened at a look: each is a command."""
_FIRST_RETRY_S, _LAST_RETRY_S = 0.5, 30.0


@dataclass(frozen=True, slots=True)
class _SimFault:
    """What is wrong with a sim. `cause`: what a library says of it, for the log; `blocks`: with Redis or its users, and so with
    more than this sim."""

    text: str
    cause: str
    blocks: bool


@dataclass(slots=True)
class _Retry:
    """When a sim that failed is tried again, on the monotonic clock in seconds, and the pauses after that."""

    pauses: Iterator[float]
    due_s: float = 0.0


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
        self._faults: dict[str, _SimFault] = {}
        self._ticking: set[str] = set()
        self._retries: dict[str, _Retry] = {}
        self._standstill = Standstill(
            redis, self._holder, lease_ttl_s=settings.lease_ttl_ms / 1000, tick_delay_s=settings.tick_delay
        )
        health.set_ok(SIMS)

    async def details(self) -> dict[str, JsonValue]:
        """Return what `/health` shows of this worker: of at most 100 sims that it holds what each is at."""
        owned = [runner for runner, _ in self._runners.values() if runner.lease is not None]
        sims: dict[str, JsonValue] = {
            runner.sim_id: {
                "epoch": runner.lease.epoch if runner.lease else None,
                "tick": runner.tick,
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
        """Tell how many sims there are, and how many are held."""
        SIMS_SERVED.set(len(self._sims))
        SIMS_HELD.set(sum(runner.lease is not None for runner, _ in self._runners.values()))

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop`; then every lease that is held is given back."""
        settings = self._settings
        bind_contextvars(worker=settings.worker_id)
        # A waiting worker looks often enough to be there within a tick of a lease given back, at the second look at the latest.
        max_look_s = min(settings.lease_ttl_ms / 3000, 1.0)
        look_s = min(max(settings.tick_delay / 4, 0.02), max_look_s)
        pauses = backoff(max_s=max(look_s, 0.5))
        try:
            while not stop.is_set():
                began_s = time.thread_time()
                try:
                    await self._rebalance()
                    self._health.set_ok(REDIS)
                    pauses = backoff(max_s=max(look_s, 0.5))
                    # Looking at very many sims is work: a twentieth of all at the most. Waiting for Redis is none.
                    await wait_for_stop(stop, min(max(look_s, 20 * (time.thread_time() - began_s)), max_look_s))
                except RedisError as error:
                    self._standstill.reset()
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
        self._forget_retries(holders)
        owned = Counter(dict.fromkeys(present, 0))
        owned.update(holder for holder in holders.values() if holder is not None and holder != self._holder)
        owned[self._holder] = len(self._runners)
        share = fair_share(self._holder, owned, len(self._sims))
        for runner, _ in list(self._runners.values())[share:]:
            runner.stop()
        self._start_runners([sim_id for sim_id, holder in holders.items() if holder is None], share)
        await self._look_for_standstill(holders)

    async def _look_for_standstill(self, holders: Mapping[str, str | None]) -> None:
        """See which sims tick. A fault of a sim that is not held here stays until the sim ticks again, or is gone."""
        left = self._faults.keys() - self._runners.keys() - self._retries.keys()
        before = dict(self._standstill.faults)
        well = await self._standstill.look(holders, left)
        for sim_id in left & well | left - holders.keys():
            self._set_error(sim_id, None, "", False)
        if self._standstill.faults != before:
            self._report()

    async def _shorten_leases(self, holders: Mapping[str, str | None], present: Sequence[str]) -> None:
        """Let the leases of workers that are gone expire in time, even if the clock of Redis was set back."""
        now_s = time.monotonic()
        present_holders = {self._holder, *present}
        orphans = [sim_id for sim_id, holder in holders.items() if holder is not None and holder not in present_holders]
        if orphans and now_s >= self._shorten_at_s:
            self._shorten_at_s = now_s + self._settings.lease_ttl_ms / 1000
            await leases.shorten(self._redis, orphans[:_MAX_SHORTENED], self._settings.lease_ttl_ms)

    async def _heartbeat(self) -> list[str]:
        """Sign as present, and return who is. A damaged roster is reported; it only serves to share sims evenly."""
        try:
            present = await membership.sign(
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
        now_s = time.monotonic()
        resting = {sim_id for sim_id, retry in self._retries.items() if retry.due_s > now_s}
        left = [sim_id for sim_id in free if sim_id not in self._runners and sim_id not in resting]
        random.shuffle(left)
        room = max(share - len(self._runners), 0)
        for sim_id in [*left[:room], *(each for each in left[room:] if each in self._free_before)]:
            runner = SimRunner(self._context, sim_id, creates=sim_id in self._settings.named)
            self._runners[sim_id] = (runner, asyncio.create_task(runner.run(), name=f"runner of {sim_id}"))
        self._free_before = set(left)

    async def _list_sims(self) -> list[str]:
        named = self._settings.named
        if not self._settings.serves_all:
            return named
        try:
            listed = await lifecycle.listed(self._redis)
        except ResponseError as error:
            if not concerns_one_sim(error):
                raise
            fault = "the list of sims in Redis is damaged: the sims that are named or held are served, and no others"
            self._health.set_error(LIST, fault, cause=str(error), blocks=False)
            listed = list(self._runners)
        else:
            if LIST in self._health.errors:
                self._health.set_ok(LIST)
        return list(dict.fromkeys([*named, *listed]))

    def _remove_ended(self) -> None:
        """Remove the runners that ended, and schedule the retries of those that failed."""
        for sim_id, (runner, task) in list(self._runners.items()):
            if not task.done():
                continue
            del self._runners[sim_id]
            self._ticking.discard(sim_id)
            if (error := task.exception()) is not None:
                # An unexpected error of one sim must not stop the others.
                log.error("sim %s failed: %s", sim_id, type(error).__name__, exc_info=error, extra={"sim": sim_id})
                self._set_error(sim_id, f"{type(error).__name__}, see the log", "", False)
            if runner.gave_up or error is not None:
                retry = self._retries.setdefault(sim_id, _Retry(backoff(first_s=_FIRST_RETRY_S, max_s=_LAST_RETRY_S)))
                retry.due_s = time.monotonic() + next(retry.pauses)

    def _forget_retries(self, holders: Mapping[str, str | None]) -> None:
        """Forget the faults of sims that are gone, and of those that another worker ticks when they are to be tried again."""
        now_s = time.monotonic()
        for sim_id, retry in list(self._retries.items()):
            is_elsewhere = retry.due_s <= now_s and holders.get(sim_id) is not None and sim_id not in self._runners
            if sim_id not in holders or is_elsewhere:
                del self._retries[sim_id]

    def _set_error(self, sim_id: str, fault: str | None, cause: str, blocks: bool) -> None:
        if fault is None:
            was_ticking = sim_id in self._ticking
            if sim_id in self._runners:
                self._ticking.add(sim_id)
            self._retries.pop(sim_id, None)
            if self._faults.pop(sim_id, None) is None and (was_ticking or not self._faults):
                return
        else:
            self._ticking.discard(sim_id)
            self._faults[sim_id] = _SimFault(fault, cause, blocks)
        self._report()

    def _report(self) -> None:
        """Note in the condition `sims` what is wrong with sims: the process is not ready where it ticks none because of it."""
        standing = {sim_id: _SimFault(fault, "", True) for sim_id, fault in self._standstill.faults.items()}
        faults = standing | self._faults
        if not faults:
            self._health.set_ok(SIMS)
            return
        kinds = sorted({each.text for each in faults.values()})
        example, words = next(iter(faults.items()))
        is_blocked = self._ticking <= standing.keys() and any(each.blocks for each in faults.values())
        detail = f"{len(faults)} sims, such as {example}"
        self._health.set_error(SIMS, "; ".join(kinds), detail, cause=words.cause, blocks=is_blocked)

    async def _stop_all(self) -> None:
        """Stop the runners, and leave the roster, so that the other workers acquire the released leases."""
        for runner, _ in self._runners.values():
            runner.stop()
        tasks = [task for _, task in self._runners.values()]
        try:
            # An unexpected error of one sim must not keep the leases of the others.
            leaving, *_ = await asyncio.gather(self._leave(), *tasks, return_exceptions=True)
            if leaving is not None:
                raise leaving
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _leave(self) -> None:
        try:
            await membership.leave(self._redis, self._settings.sim_id, self._holder)
        except (RedisError, StateError) as error:
            log.warning("could not leave the roster, the entry lapses by itself: %s", error)
