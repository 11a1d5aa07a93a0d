"""Group commit: concurrent requests share one round trip.

Source: D. DeWitt et al., "Implementation Techniques for Main Memory Database Systems", SIGMOD 1984.
"""

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING

from sector.models.deprecated_names import deprecated_names
from sector.state.errors import StateError
from sector.state.log.admission import AdmissionPolicy, AdmissionResult, Admitted, Request
from sector.state.redis.client import Client

MAX_GROUP_ORDERS = 4_000
"""The maximum of orders in a group. Redis executes no other command while it admits them."""
_MAX_GROUP_REQUESTS = 500

type _Group = list[tuple[Request, asyncio.Future[AdmissionResult]]]


class GroupCommit:
    """Admits requests to the order log of one sim. While a group is committed, new requests form the next group.

    If a commit waits for durability, several groups wait at the same time.
    """

    def __init__(self, redis: Client, policy: AdmissionPolicy) -> None:
        self._redis = redis
        self._policy = policy
        self._pending: _Group = []
        self._groups: set[asyncio.Task[None]] = set()
        self._running = 0
        self._max_groups = 1 if policy.durability.kind == "memory" else 16

    async def admit(self, request: Request) -> Admitted:
        """Append the orders of a request to the log and return the result.

        Raises SimNotFound, SimAlreadyFinished, QueueFull, RateLimited, StorageFull or IdempotencyConflict. After
        NotDurable or redis.exceptions.RedisError the log may contain the orders nevertheless.
        """
        future: asyncio.Future[AdmissionResult] = asyncio.get_running_loop().create_future()
        self._pending.append((request, future))
        if self._running < self._max_groups:
            self._running += 1
            # The task starts after all tasks that are ready now, and includes their requests.
            group = asyncio.create_task(self._commit())
            self._groups.add(group)
            group.add_done_callback(self._groups.discard)
        result = await future
        if not isinstance(result, StateError):
            return result
        try:
            raise result
        finally:
            # The traceback of the error refers to this frame. A reference from the frame to the error would keep the
            # request and its orders in memory until the garbage collector runs.
            del result, future

    @property
    def in_use(self) -> bool:
        """Whether a group is being committed."""
        return self._running > 0

    async def close(self) -> None:
        """Wait until all groups are committed, at most for the timeout of Redis."""
        while self._groups:
            await asyncio.wait(self._groups)

    async def _commit(self) -> None:
        try:
            while group := self._next():
                try:
                    # Successive groups share a connection, because its acquisition takes a fifth of the time of a group
                    # (by samples).
                    async with self._policy.acquire_connection(self._redis) as connection:
                        while group:
                            _settle(group, await self._policy.admit(connection, [request for request, _ in group]))
                            group = self._next()
                except Exception as error:  # noqa: BLE001  (each request must end)
                    for _, future in group:
                        if not future.done():
                            future.set_exception(error)
        finally:
            # A callback of the task would run too late: a request in between would wait for a group that has ended.
            self._running -= 1

    def _next(self) -> _Group:
        orders = count = 0
        for request, _ in self._pending[:_MAX_GROUP_REQUESTS]:
            orders += len(request.orders)
            if count and orders > MAX_GROUP_ORDERS:
                break
            count += 1
        group, self._pending = self._pending[:count], self._pending[count:]
        return group


def _settle(group: _Group, results: Sequence[AdmissionResult]) -> None:
    for (_, future), result in zip(group, results, strict=True):
        if not future.done():
            future.set_result(result)


if not TYPE_CHECKING:  # (a type checker would allow any name)
    __getattr__ = deprecated_names(__name__, {"MOST_ORDERS": "MAX_GROUP_ORDERS"})
