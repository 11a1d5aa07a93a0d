"""The worker: looks which sims there are and who holds them, and takes and gives back until all are shared evenly."""

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
from sector.state import lease as leases
from sector.state import roster, sims
from sector.state.connect import Client
from sector.state.errors import StateError
from sector.state.faults import concerns_one_sim, describe
from sector.state.world import World
from sector.worker.metrics import SIMS_HELD, SIMS_SERVED
from sector.worker.settings import WorkerSettings
from sector.worker.share import fair_share
from sector.worker.standstill import Standstill
from sector.worker.tenure import Means, Tenure

log = logging.getLogger(__name__)

REDIS, SIMS = "redis", "sims"
ROSTER, LIST = "roster", "list of sims"
_AT_ONCE = 64
_SHOWN = 100
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
    """Holds its share of the sims that it serves, each by a tenure of its own."""

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
        self._means = Means(
            settings, redis, world, self._holder, asyncio.Semaphore(_AT_ONCE), traces or Traces(), self._fault
        )
        self._tenures: dict[str, tuple[Tenure[S], asyncio.Task[None]]] = {}
        self._served: list[str] = []
        self._free_before: set[str] = set()
        self._shorten_at_s = 0.0
        self._faults: dict[str, _SimFault] = {}
        self._ticking: set[str] = set()
        self._retries: dict[str, _Retry] = {}
        self._standstill = Standstill(
            redis, self._holder, lease_ttl_s=settings.lease_ttl_ms / 1000, tick_delay_s=settings.tick_delay
        )
        health.well(SIMS)

    async def details(self) -> dict[str, JsonValue]:
        """Return what `/health` shows of this worker: of at most 100 sims that it holds what each is at."""
        held = [tenure for tenure, _ in self._tenures.values() if tenure.lease is not None]
        shown: dict[str, JsonValue] = {
            tenure.sim_id: {
                "epoch": tenure.lease.epoch if tenure.lease else None,
                "tick": tenure.tick,
                "late_ticks": tenure.late,
                "conflicts": tenure.conflicts,
            }
            for tenure in held[:_SHOWN]
        }
        return {
            "worker": self._settings.worker_id,
            "serves": self._settings.sim_id,
            "sims_served": len(self._served),
            "sims_held": len(held),
            "late_ticks": sum(tenure.late for tenure in held),
            "held": shown,
        }

    def sample(self) -> None:
        """Tell how many sims there are, and how many are held."""
        SIMS_SERVED.set(len(self._served))
        SIMS_HELD.set(sum(tenure.lease is not None for tenure, _ in self._tenures.values()))

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop`; then every lease that is held is given back."""
        settings = self._settings
        bind_contextvars(worker=settings.worker_id)
        # A waiting worker looks often enough to be there within a tick of a lease given back, at the second look at the latest.
        most_s = min(settings.lease_ttl_ms / 3000, 1.0)
        look_s = min(max(settings.tick_delay / 4, 0.02), most_s)
        pauses = backoff(most_s=max(look_s, 0.5))
        try:
            while not stop.is_set():
                began_s = time.thread_time()
                try:
                    await self._look()
                    self._health.well(REDIS)
                    pauses = backoff(most_s=max(look_s, 0.5))
                    # Looking at very many sims is work: a twentieth of all at the most. Waiting for Redis is none.
                    await wait_for_stop(stop, min(max(look_s, 20 * (time.thread_time() - began_s)), most_s))
                except RedisError as error:
                    self._standstill.reset()
                    self._health.fault(
                        REDIS, describe(error), settings.redis_url.where, cause=f"{type(error).__name__}: {error}"
                    )
                    await wait_for_stop(stop, next(pauses))
        finally:
            await self._end_all()

    async def _look(self) -> None:
        """See who holds what, and take or give back accordingly."""
        self._reap()
        self._served = await self._serves()
        present = await self._sign()
        holders = dict(zip(self._served, await leases.holders(self._redis, self._served), strict=True))
        await self._shorten_leases(holders, present)
        self._forget_retries(holders)
        held = Counter(dict.fromkeys(present, 0))
        held.update(holder for holder in holders.values() if holder is not None and holder != self._holder)
        held[self._holder] = len(self._tenures)
        share = fair_share(self._holder, held, len(self._served))
        for tenure, _ in list(self._tenures.values())[share:]:
            tenure.end()
        self._take([sim_id for sim_id, holder in holders.items() if holder is None], share)
        await self._look_for_standstill(holders)

    async def _look_for_standstill(self, holders: Mapping[str, str | None]) -> None:
        """See which sims tick. A fault of a sim that is not held here stays until the sim ticks again, or is gone."""
        left = self._faults.keys() - self._tenures.keys() - self._retries.keys()
        before = dict(self._standstill.faults)
        well = await self._standstill.look(holders, left)
        for sim_id in left & well | left - holders.keys():
            self._fault(sim_id, None, "", False)
        if self._standstill.faults != before:
            self._report()

    async def _shorten_leases(self, holders: Mapping[str, str | None], present: Sequence[str]) -> None:
        """Let the leases of workers that are gone lapse after their time, whatever Redis' clock did since they were taken."""
        now_s = time.monotonic()
        there = {self._holder, *present}
        gone = [sim_id for sim_id, holder in holders.items() if holder is not None and holder not in there]
        if gone and now_s >= self._shorten_at_s:
            self._shorten_at_s = now_s + self._settings.lease_ttl_ms / 1000
            await leases.shorten(self._redis, gone[:_MAX_SHORTENED], self._settings.lease_ttl_ms)

    async def _sign(self) -> list[str]:
        """Sign as present, and return who is. A damaged roster is reported; it only serves to share sims evenly."""
        try:
            present = await roster.sign(self._redis, self._settings.sim_id, self._holder, self._settings.lease_ttl_ms)
        except ResponseError as error:
            if not concerns_one_sim(error):
                raise
            fault = "the list of workers in Redis is damaged, so sims may be shared unevenly: delete the key workers"
            self._health.fault(ROSTER, fault, cause=str(error), blocks=False)
            return [self._holder]
        if ROSTER in self._health.faults:
            self._health.well(ROSTER)
        return present

    def _take(self, free: list[str], share: int) -> None:
        """Begin with free sims up to the share; with one that was free at the last look too, whatever the share."""
        now_s = time.monotonic()
        resting = {sim_id for sim_id, retry in self._retries.items() if retry.due_s > now_s}
        left = [sim_id for sim_id in free if sim_id not in self._tenures and sim_id not in resting]
        random.shuffle(left)
        room = max(share - len(self._tenures), 0)
        for sim_id in [*left[:room], *(each for each in left[room:] if each in self._free_before)]:
            tenure = Tenure(self._means, sim_id, founds=sim_id in self._settings.named)
            self._tenures[sim_id] = (tenure, asyncio.create_task(tenure.run(), name=f"tenure of {sim_id}"))
        self._free_before = set(left)

    async def _serves(self) -> list[str]:
        named = self._settings.named
        if not self._settings.serves_all:
            return named
        try:
            listed = await sims.listed(self._redis)
        except ResponseError as error:
            if not concerns_one_sim(error):
                raise
            fault = "the list of sims in Redis is damaged: the sims that are named or held are served, and no others"
            self._health.fault(LIST, fault, cause=str(error), blocks=False)
            listed = list(self._tenures)
        else:
            if LIST in self._health.faults:
                self._health.well(LIST)
        return list(dict.fromkeys([*named, *listed]))

    def _reap(self) -> None:
        """Forget the tenures that ended, and see when those that failed are tried again."""
        for sim_id, (tenure, task) in list(self._tenures.items()):
            if not task.done():
                continue
            del self._tenures[sim_id]
            self._ticking.discard(sim_id)
            if (error := task.exception()) is not None:
                # An unexpected error of one sim must not stop the others.
                log.error("sim %s failed: %s", sim_id, type(error).__name__, exc_info=error, extra={"sim": sim_id})
                self._fault(sim_id, f"{type(error).__name__}, see the log", "", False)
            if tenure.failed or error is not None:
                retry = self._retries.setdefault(sim_id, _Retry(backoff(first_s=_FIRST_RETRY_S, most_s=_LAST_RETRY_S)))
                retry.due_s = time.monotonic() + next(retry.pauses)

    def _forget_retries(self, holders: Mapping[str, str | None]) -> None:
        """Forget the faults of sims that are gone, and of those that another worker ticks when they are to be tried again."""
        now_s = time.monotonic()
        for sim_id, retry in list(self._retries.items()):
            is_elsewhere = retry.due_s <= now_s and holders.get(sim_id) is not None and sim_id not in self._tenures
            if sim_id not in holders or is_elsewhere:
                del self._retries[sim_id]

    def _fault(self, sim_id: str, fault: str | None, cause: str, blocks: bool) -> None:
        if fault is None:
            was_ticking = sim_id in self._ticking
            if sim_id in self._tenures:
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
            self._health.well(SIMS)
            return
        kinds = sorted({each.text for each in faults.values()})
        example, words = next(iter(faults.items()))
        is_blocked = self._ticking <= standing.keys() and any(each.blocks for each in faults.values())
        detail = f"{len(faults)} sims, such as {example}"
        self._health.fault(SIMS, "; ".join(kinds), detail, cause=words.cause, blocks=is_blocked)

    async def _end_all(self) -> None:
        """End the tenures, and leave the roster meanwhile, so that the others count without us and take what is given back."""
        for tenure, _ in self._tenures.values():
            tenure.end()
        tasks = [task for _, task in self._tenures.values()]
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
            await roster.leave(self._redis, self._settings.sim_id, self._holder)
        except (RedisError, StateError) as error:
            log.warning("could not leave the roster, the entry lapses by itself: %s", error)
