"""Registry of the sims that this API watches: its own sim always, others while clients request them."""

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
_MAX_SIMS = 200
"""Each sim has its own connection to Redis, of the 512 that a process may have."""
_LOAD_TIMEOUT_S = 10.0
_ID = re.compile(SIM_ID)


class SimRegistry:
    """Watches sims. `on_status` is called with None when the own sim becomes readable, and with the fault when it is not."""

    def __init__(
        self,
        redis: Client,
        sim_id: str,
        durability: Durability,
        max_pending: int,
        on_status: Callable[[Fault | None], None],
    ) -> None:
        self._redis = redis
        self._lookup = SimLookup(redis)
        self._durability = durability
        self._max_pending = max_pending
        self._on_status = on_status
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._used_s: dict[str, float] = {}
        self._sims: dict[str, ApiSim] = {}
        self.own_id = sim_id

    @property
    def own(self) -> ApiSim | None:
        """The own sim, once the API watches it."""
        return self._sims.get(self.own_id)

    def __len__(self) -> int:
        return len(self._sims)

    def get_loaded(self, sim_id: str) -> ApiSim | None:
        """Return a sim if its state is loaded."""
        sim = self._sims.get(sim_id)
        if sim is None or sim.views is None:
            return None
        self._used_s[sim_id] = time.monotonic()
        return sim

    async def get(self, sim_id: str) -> ApiSim:
        """Return a sim, loaded.

        Raises SimNotFound, the fault of the sim, redis.exceptions.RedisError; ApiError if too many sims are in use or the sim is not
        loaded in time.
        """
        sim = self._sims.get(sim_id)
        if sim is None:
            if not _ID.fullmatch(sim_id):
                raise SimNotFound(sim_id)
            if sim_id != self.own_id:
                await self._lookup.require(sim_id)
            # Another request may have begun to watch it in the meantime.
            sim = self._sims.get(sim_id) or self._watch(sim_id)
        self._used_s[sim_id] = time.monotonic()
        if sim.views is None:
            await self._load(sim)
        return sim

    async def _load(self, sim: ApiSim) -> None:
        """Wait until the newest state of a sim is loaded."""
        sim_id = sim.sim_id
        try:
            async with asyncio.timeout(_LOAD_TIMEOUT_S):
                await sim.newest_views()
        except SimNotFound as error:
            if sim_id == self.own_id:
                raise ApiError(
                    503, "The sim does not exist yet", f"{error} yet: wait until a worker creates it"
                ) from error
            # Another request may have begun to watch it again in the meantime.
            if self._sims.get(sim_id) is sim:
                self._remove(sim_id)
            raise
        except TimeoutError as error:
            detail = f"sim {sim_id!r} could not be read within {_LOAD_TIMEOUT_S:g} s: try again"
            raise ApiError(503, "The sim cannot be read", detail) from error

    async def run(self, stop: asyncio.Event) -> None:
        """Watch sims until `stop`, then release all."""
        if self.own is None:
            self._watch(self.own_id)
        try:
            while not await wait_for_stop(stop, _IDLE_S / 4):
                self._remove_idle()
                if self.own is None:
                    self._watch(self.own_id)
        finally:
            tasks = list(self._tasks.values())
            await asyncio.gather(*(sim.group.close() for sim in self._sims.values()))
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def _watch(self, sim_id: str) -> ApiSim:
        if len(self._sims) >= _MAX_SIMS and sim_id != self.own_id:
            self._evict()
        policy = AdmissionPolicy(sim_id, self._max_pending, self._durability)
        sim = self._sims[sim_id] = (
            ApiSim(self._redis, policy, self._on_status) if sim_id == self.own_id else ApiSim(self._redis, policy)
        )
        task = self._tasks[sim_id] = asyncio.create_task(sim.run(), name=f"watching {sim_id}")
        task.add_done_callback(partial(self._on_end, sim_id))
        return sim

    def _evict(self) -> None:
        """Remove the least recently used sim. Raises ApiError if all are in use."""
        unused = [each for each in self._used_s if each != self.own_id and not self._sims[each].in_use]
        if not unused:
            detail = f"the limit of {_MAX_SIMS} sims in use by this process is reached: try again later"
            raise ApiError(503, "Too many sims", detail, headers={"Retry-After": "5"})
        self._remove(min(unused, key=self._used_s.__getitem__))

    def _on_end(self, sim_id: str, task: asyncio.Task[None]) -> None:
        """Remove a sim whose task failed with an unexpected error. The next request watches it again."""
        if task.cancelled() or (error := task.exception()) is None:
            return
        log.error("sim watcher failed", exc_info=error, extra={"sim": sim_id})
        if self._tasks.get(sim_id) is task:
            self._remove(sim_id)

    def _remove_idle(self) -> None:
        before_s = time.monotonic() - _IDLE_S
        for sim_id, used_s in list(self._used_s.items()):
            if used_s < before_s and sim_id != self.own_id and not self._sims[sim_id].in_use:
                self._remove(sim_id)

    def _remove(self, sim_id: str) -> None:
        del self._sims[sim_id]
        self._used_s.pop(sim_id, None)
        self._tasks.pop(sim_id).cancel()
