"""Lookups whether sims exist, before a process starts any work for them.

Clients can cheaply send requests for sims that do not exist. So concurrent lookups share a round trip, and only one
round trip is pending at a time. Nothing is cached, so that a new sim is visible at once.
"""

import asyncio
from itertools import islice

from sector.state.errors import SimNotFound
from sector.state.redis.client import Client
from sector.state.sims import lifecycle

_MAX_BATCH = 100


class SimLookup:
    """Looks up sims in one Redis."""

    def __init__(self, redis: Client) -> None:
        self._redis = redis
        self._pending: dict[str, asyncio.Future[bool]] = {}
        self._task: asyncio.Task[None] | None = None

    async def require(self, sim_id: str) -> None:
        """Return if the sim exists. Raises SimNotFound or redis.exceptions.RedisError."""
        result = self._pending.get(sim_id)
        if result is None:
            result = self._pending[sim_id] = asyncio.get_running_loop().create_future()
        if self._task is None:
            self._task = asyncio.create_task(self._run(), name="looking up sims")
        if not await asyncio.shield(result):
            raise SimNotFound(sim_id)

    async def _run(self) -> None:
        try:
            while self._pending:
                # Requests from here on belong to the next batch, because this batch may read Redis before such a
                # request.
                batch = {sim_id: self._pending.pop(sim_id) for sim_id in tuple(islice(self._pending, _MAX_BATCH))}
                await self._look_up(batch)
        finally:
            self._task = None

    async def _look_up(self, batch: dict[str, asyncio.Future[bool]]) -> None:
        try:
            existing = await lifecycle.exist(self._redis, tuple(batch))
        except Exception as error:  # noqa: BLE001  (each waiter must end)
            for result in batch.values():
                result.set_exception(error)
                # Mark the error as retrieved: all waiters may have been cancelled.
                result.exception()
            return
        for result, exists in zip(batch.values(), existing, strict=True):
            result.set_result(exists)
