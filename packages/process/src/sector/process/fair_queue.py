"""Fair queue: expensive work runs one piece at a time, and the clients take turns.

A client that queues too much work is rejected (load shedding). Without the queue, a hundred clients that each request
50 ms of work would delay all other requests by five seconds. With it, a request waits for one piece at most. A client
with a hundred requests gets the same share of the work as a client with one.

Source: J. Nagle, "On Packet Switches With Infinite Storage" (RFC 970, 1985), section 6: round robin over the sources.
"""

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from sector.models.deprecated_names import deprecated_names

_MAX_PENDING = 64
_MAX_CLIENTS = 10_000
_MAX_PAUSE_S = 0.05


class FairQueueFull(Exception):
    """A client has the maximum number of pending pieces of work."""

    def __init__(self, client: str, pending: int) -> None:
        super().__init__(f"{client} has reached the limit of {pending} pending reads")
        self.client = client
        self.pending = pending


class FairQueue:
    """Grants one turn at a time, to the clients in rotation.

    After each turn it pauses as long as the turn took, at most 50 ms, so that other requests get half of the time.
    `max_pending`: the maximum of waiting pieces per client. `clock`: a clock in seconds.
    """

    def __init__(self, *, max_pending: int = _MAX_PENDING, clock: Callable[[], float] = time.monotonic) -> None:
        self._max_pending = max_pending
        self._clock = clock
        self._clients: dict[str, deque[asyncio.Future[None]]] = {}
        self._busy = False

    @property
    def pending(self) -> int:
        """The number of pieces of work that wait for their turn."""
        return sum(map(len, self._clients.values()))

    def check(self, client: str) -> None:
        """Raise FairQueueFull if a turn would not be granted. A caller can check this before it starts any work."""
        if len(self._clients.get(client, ())) >= self._max_pending:
            raise FairQueueFull(client, self._max_pending)

    @asynccontextmanager
    async def turn(self, client: str) -> AsyncIterator[None]:
        """Wait for a turn and hold it during the block, as a context manager. Raises FairQueueFull."""
        await self._acquire(client)
        began_s = self._clock()
        try:
            yield
        finally:
            pause_s = min(self._clock() - began_s, _MAX_PAUSE_S)
            asyncio.get_running_loop().call_later(pause_s, self._next)

    async def _acquire(self, client: str) -> None:
        if not self._busy:
            self._busy = True
            return
        self.check(client)
        queue = self._clients.get(client)
        if queue is None:
            if len(self._clients) >= _MAX_CLIENTS:
                raise FairQueueFull(client, 0)
            queue = self._clients[client] = deque()
        granted = asyncio.get_running_loop().create_future()
        queue.append(granted)
        try:
            await granted
        except asyncio.CancelledError:
            if granted.done() and not granted.cancelled():
                self._next()
            raise

    def _next(self) -> None:
        """Grant the next turn. Its client goes to the end of the rotation."""
        while self._clients:
            client, queue = next(iter(self._clients.items()))
            del self._clients[client]
            granted = queue.popleft()
            if queue:
                self._clients[client] = queue
            if not granted.done():
                granted.set_result(None)
                return
        self._busy = False


__getattr__ = deprecated_names(__name__, {"Turns": "FairQueue", "TooManyTurns": "FairQueueFull"})
