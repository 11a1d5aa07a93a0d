"""Group commit: requests that are in flight together share one round trip.

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
"""Orders of a group: Redis serves nobody else while it lets them in."""
_MAX_GROUP_REQUESTS = 500

type _Group = list[tuple[Request, asyncio.Future[AdmissionResult]]]


class GroupCommit:
    """Lets requests into the log of one sim. While a group is under way, those that come form the next one.

    Where Redis is waited for until orders are durable, several groups wait at once.
    """

    def __init__(self, redis: Client, gate: AdmissionPolicy) -> None:
        self._redis = redis
        self._gate = gate
        self._waiting: _Group = []
        self._groups: set[asyncio.Task[None]] = set()
        self._under_way = 0
        self._max_groups = 1 if gate.durability.kind == "memory" else 16

    async def admit(self, request: Request) -> Admitted:
        """Let the orders of a request into the log.

        Raises SimNotFound, SimFinished, QueueFull, RateLimited, IdempotencyConflict. After NotDurable and
        redis.exceptions.RedisError the orders may be in the log nevertheless.
        """
        verdict: asyncio.Future[AdmissionResult] = asyncio.get_running_loop().create_future()
        self._waiting.append((request, verdict))
        if self._under_way < self._max_groups:
            self._under_way += 1
            # It begins after whatever else is ready now, and takes along what that brings.
            group = asyncio.create_task(self._commit())
            self._groups.add(group)
            group.add_done_callback(self._groups.discard)
        found = await verdict
        if not isinstance(found, StateError):
            return found
        try:
            raise found
        finally:
            # The traceback of the error holds this frame: if the frame held the error, the request and all its orders would stay in
            # memory until the garbage collector runs.
            del found, verdict

    @property
    def in_use(self) -> bool:
        """Whether a group is under way."""
        return self._under_way > 0

    async def close(self) -> None:
        """Wait until all that is under way is answered; as long as Redis may take, at most."""
        while self._groups:
            await asyncio.wait(self._groups)

    async def _commit(self) -> None:
        try:
            while group := self._next():
                try:
                    # Groups that follow each other share a connection: to borrow one is a fifth of a group's work (by samples).
                    async with self._gate.acquire_connection(self._redis) as connection:
                        while group:
                            _settle(group, await self._gate.admit(connection, [request for request, _ in group]))
                            group = self._next()
                except Exception as error:  # noqa: BLE001  (raised to each that waits: none hangs)
                    for _, verdict in group:
                        if not verdict.done():
                            verdict.set_exception(error)
        finally:
            # Here and not when the task is done, which is later: who came between would wait for a group that is over.
            self._under_way -= 1

    def _next(self) -> _Group:
        orders = count = 0
        for request, _ in self._waiting[:_MAX_GROUP_REQUESTS]:
            orders += len(request.orders)
            if count and orders > MAX_GROUP_ORDERS:
                break
            count += 1
        group, self._waiting = self._waiting[:count], self._waiting[count:]
        return group


def _settle(group: _Group, verdicts: Sequence[AdmissionResult]) -> None:
    for (_, verdict), found in zip(group, verdicts, strict=True):
        if not verdict.done():
            verdict.set_result(found)


if not TYPE_CHECKING:  # (a type checker would allow any name)
    __getattr__ = deprecated_names(__name__, {"MOST_ORDERS": "MAX_GROUP_ORDERS"})
