"""The sims that this API serves: its own always, others as long as they are asked for."""

import asyncio
import logging
import re
import time
from collections.abc import Callable
from functools import partial

from sector.api.api_sim import ApiSim
from sector.api.problems import ApiError
from sector.models.field_types import SIM_ID
from sector.process import wait_for_stop
from sector.state.errors import SimNotFound
from sector.state.log.admission import AdmissionPolicy
from sector.state.redis.client import Client
from sector.state.redis.durability import Durability
from sector.state.sims.lookup import SimLookup
from sector.state.watch.sim_watcher import Fault

log = logging.getLogger(__name__)

_IDLE_S = 60.0
_MOST = 200
"""Each has a connection to Redis for itself, of the 512 that a process may have."""
_READ_WITHIN_S = 10.0
_ID = re.compile(SIM_ID)


class SimRegistry:
    """Follows sims. `told`: called when its own is well, with None, and when it is not, with what is wrong."""

    def __init__(
        self,
        redis: Client,
        sim_id: str,
        durability: Durability,
        most_waiting: int,
        told: Callable[[Fault | None], None],
    ) -> None:
        self._redis = redis
        self._lookup = SimLookup(redis)
        self._durability = durability
        self._most_waiting = most_waiting
        self._told = told
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._used_s: dict[str, float] = {}
        self._followed: dict[str, ApiSim] = {}
        self.own_id = sim_id

    @property
    def own(self) -> ApiSim | None:
        """Its own sim, once it is followed."""
        return self._followed.get(self.own_id)

    def __len__(self) -> int:
        return len(self._followed)

    def known(self, sim_id: str) -> ApiSim | None:
        """Return a sim if it is well, and followed already."""
        followed = self._followed.get(sim_id)
        if followed is None or followed.bodies is None:
            return None
        self._used_s[sim_id] = time.monotonic()
        return followed

    async def sim(self, sim_id: str) -> ApiSim:
        """Return a sim that is there. Raises SimNotFound, what else is wrong with it, redis.exceptions.RedisError; Problem where there are
        too many sims, or this one cannot be read in time."""
        followed = self._followed.get(sim_id)
        if followed is None:
            if not _ID.fullmatch(sim_id):
                raise SimNotFound(sim_id)
            if sim_id != self.own_id:
                await self._lookup.require(sim_id)
            # Another request may follow it by now.
            followed = self._followed.get(sim_id) or self._follow(sim_id)
        self._used_s[sim_id] = time.monotonic()
        if followed.bodies is None:
            await self._read(followed)
        return followed

    async def _read(self, followed: ApiSim) -> None:
        """Wait until the newest view of a sim is read."""
        sim_id = followed.sim_id
        try:
            async with asyncio.timeout(_READ_WITHIN_S):
                await followed.newest()
        except SimNotFound as error:
            if sim_id == self.own_id:
                raise ApiError(503, "No such sim yet", f"{error}; a worker founds it") from error
            # Another may have begun to follow it again meanwhile.
            if self._followed.get(sim_id) is followed:
                self._drop(sim_id)
            raise
        except TimeoutError as error:
            detail = f"sim {sim_id!r} was not read within {_READ_WITHIN_S:g} s; try again"
            raise ApiError(503, "The sim is not readable", detail) from error

    async def run(self, stop: asyncio.Event) -> None:
        """Follow until `stop`, then let go of everything."""
        if self.own is None:
            self._follow(self.own_id)
        try:
            while not await wait_for_stop(stop, _IDLE_S / 4):
                self._drop_idle()
                if self.own is None:
                    self._follow(self.own_id)
        finally:
            tasks = list(self._tasks.values())
            await asyncio.gather(*(each.group.close() for each in self._followed.values()))
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def _follow(self, sim_id: str) -> ApiSim:
        if len(self._followed) >= _MOST and sim_id != self.own_id:
            self._evict()
        gate = AdmissionPolicy(sim_id, self._most_waiting, self._durability)
        followed = self._followed[sim_id] = (
            ApiSim(self._redis, gate, self._told) if sim_id == self.own_id else ApiSim(self._redis, gate)
        )
        task = self._tasks[sim_id] = asyncio.create_task(followed.run(), name=f"following {sim_id}")
        task.add_done_callback(partial(self._ended, sim_id))
        return followed

    def _evict(self) -> None:
        """Drop the sim that was used longest ago. Raises Problem where all are in use."""
        unused = [each for each in self._used_s if each != self.own_id and not self._followed[each].in_use]
        if not unused:
            detail = f"{_MOST} sims are in use here, as many as may; try again later"
            raise ApiError(503, "Too many sims", detail, headers={"Retry-After": "5"})
        self._drop(min(unused, key=self._used_s.__getitem__))

    def _ended(self, sim_id: str, task: asyncio.Task[None]) -> None:
        """Drop a sim whose follower failed for a reason that was not foreseen: the next request follows it again."""
        if task.cancelled() or (error := task.exception()) is None:
            return
        log.error("following sim %s failed", sim_id, exc_info=error)
        if self._tasks.get(sim_id) is task:
            self._drop(sim_id)

    def _drop_idle(self) -> None:
        before_s = time.monotonic() - _IDLE_S
        for sim_id, used_s in list(self._used_s.items()):
            if used_s < before_s and sim_id != self.own_id and not self._followed[sim_id].in_use:
                self._drop(sim_id)

    def _drop(self, sim_id: str) -> None:
        del self._followed[sim_id]
        self._used_s.pop(sim_id, None)
        self._tasks.pop(sim_id).cancel()
