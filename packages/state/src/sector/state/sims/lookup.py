"""Looking up whether a sim exists, before anything is started for it.

Requests for sims that do not exist cost nothing to make. So lookups that come together share a round trip, and one is under way at a
time, however many clients ask for however many sims. Nothing is cached: a sim that was just created is there.
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
        """Return if there is this sim. Raises SimNotFound, redis.exceptions.RedisError."""
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
                # One that is asked for from here on is looked up after this batch, which may be older than the request.
                batch = {sim_id: self._pending.pop(sim_id) for sim_id in tuple(islice(self._pending, _MAX_BATCH))}
                await self._look_up(batch)
        finally:
            self._task = None

    async def _look_up(self, batch: dict[str, asyncio.Future[bool]]) -> None:
        try:
            existing = await lifecycle.exist(self._redis, tuple(batch))
        except Exception as error:  # noqa: BLE001  (whatever it is: it is raised to each that waits, and none hangs)
            for result in batch.values():
                result.set_exception(error)
                # Read here: all that waited may be gone.
                result.exception()
            return
        for result, exists in zip(batch.values(), existing, strict=True):
            result.set_result(exists)
