"""The sims that this API serves: its own always, others as long as they are asked for."""

import asyncio
import re
import time
from collections.abc import Callable

from sector.api.followed import Followed
from sector.api.problems import Problem
from sector.models.names import SIM_ID
from sector.process import wait_for_stop
from sector.state.admission import Gate
from sector.state.connect import Client
from sector.state.durability import Durability
from sector.state.errors import SimNotFound
from sector.state.followed import Fault

_IDLE_S = 60.0
_MOST = 1_000
_ID = re.compile(SIM_ID)


class Served:
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
        self._durability = durability
        self._most_waiting = most_waiting
        self._told = told
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._used_s: dict[str, float] = {}
        self._followed: dict[str, Followed] = {}
        self.own_id = sim_id

    @property
    def own(self) -> Followed | None:
        """Its own sim, once it is followed."""
        return self._followed.get(self.own_id)

    def __len__(self) -> int:
        return len(self._followed)

    def known(self, sim_id: str) -> Followed | None:
        """Return a sim if it is well, and followed already."""
        followed = self._followed.get(sim_id)
        if followed is None or followed.bodies is None:
            return None
        self._used_s[sim_id] = time.monotonic()
        return followed

    async def sim(self, sim_id: str) -> Followed:
        """Return a sim that is there. Raises SimNotFound, what else is wrong with it, redis.exceptions.RedisError."""
        followed = self._followed.get(sim_id)
        if followed is None:
            if not _ID.fullmatch(sim_id):
                raise SimNotFound(sim_id)
            followed = self._follow(sim_id)
        self._used_s[sim_id] = time.monotonic()
        if followed.bodies is None:
            try:
                await followed.newest()
            except SimNotFound as error:
                if sim_id == self.own_id:
                    raise Problem(503, "No such sim yet", f"{error}; a worker founds it") from error
                # Another may have begun to follow it anew meanwhile.
                if self._followed.get(sim_id) is followed:
                    self._drop(sim_id)
                raise
        return followed

    async def run(self, stop: asyncio.Event) -> None:
        """Follow until `stop`, then let go of everything."""
        if self.own is None:
            self._follow(self.own_id)
        try:
            while not await wait_for_stop(stop, _IDLE_S / 4):
                self._drop_idle()
        finally:
            tasks = list(self._tasks.values())
            await asyncio.gather(*(each.group.close() for each in self._followed.values()))
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def _follow(self, sim_id: str) -> Followed:
        if len(self._followed) >= _MOST:
            self._drop(min(self._used_s.keys() - {self.own_id}, key=self._used_s.__getitem__))
        gate = Gate(sim_id, self._most_waiting, self._durability)
        followed = self._followed[sim_id] = (
            Followed(self._redis, gate, self._told) if sim_id == self.own_id else Followed(self._redis, gate)
        )
        self._tasks[sim_id] = asyncio.create_task(followed.run(), name=f"following {sim_id}")
        return followed

    def _drop_idle(self) -> None:
        before_s = time.monotonic() - _IDLE_S
        for sim_id, used_s in list(self._used_s.items()):
            if used_s < before_s and sim_id != self.own_id and not self._followed[sim_id].listeners:
                self._drop(sim_id)

    def _drop(self, sim_id: str) -> None:
        del self._used_s[sim_id], self._followed[sim_id]
        self._tasks.pop(sim_id).cancel()
