"""Fair starts of requests: each iteration of the event loop starts a bounded number of requests, and the clients take
turns.

Otherwise all requests that arrive in one iteration would start in it. If 900 connections of one client send a request
at the same time, the request of another client would wait for all of them.

Sources: J. Nagle, "On Packet Switches With Infinite Storage" (RFC 970, 1985), section 6: round robin over the sources.
D.-M. Chiu and R. Jain, "Analysis of the Increase and Decrease Algorithms for Congestion Avoidance in Computer Networks"
(1989): additive increase, multiplicative decrease of the number.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable

_TARGET_S = 0.02
_MAX_STARTS = 64


class RequestStarts:
    """Decides when a request starts.

    At most 64 requests start in an iteration. While requests wait, that number is halved after an iteration of more
    than 20 ms, and otherwise increases by one. `clock`: a clock in seconds. By default it measures processor time, so
    that a busy machine does not slow down the starts.
    """

    def __init__(self, clock: Callable[[], float] = time.thread_time) -> None:
        self._clock = clock
        self._limit = _MAX_STARTS
        self._started = 0
        self._began_s = 0.0
        self._clients: dict[str, deque[asyncio.Future[None]]] = {}

    @property
    def pending(self) -> int:
        """The number of requests that wait for their start."""
        return sum(map(len, self._clients.values()))

    def start(self) -> bool:
        """Start a request at once, unless the iteration has reached its limit or other requests wait.

        Return whether it started.
        """
        if self._clients or self._started >= self._limit:
            return False
        if not self._started:
            self._watch_iteration()
        self._started += 1
        return True

    async def wait(self, client: str) -> None:
        """Return when the next request of this client may start."""
        start = asyncio.get_running_loop().create_future()
        self._clients.setdefault(client, deque()).append(start)
        await start

    def _watch_iteration(self) -> None:
        self._began_s = self._clock()
        asyncio.get_running_loop().call_soon(self._begin_iteration)

    def _begin_iteration(self) -> None:
        self._started = 0
        if not self._clients:
            return
        self._adapt(self._clock() - self._began_s)
        while self._clients and self._started < self._limit:
            self._started += self._start_next()
        # This is also needed if nothing was started, because cancelled requests leave empty places.
        self._watch_iteration()

    def _adapt(self, iteration_s: float) -> None:
        self._limit = max(self._limit // 2, 1) if iteration_s > _TARGET_S else min(self._limit + 1, _MAX_STARTS)

    def _start_next(self) -> bool:
        """Start a request of the next client. The client goes to the end of the rotation."""
        client, queue = next(iter(self._clients.items()))
        del self._clients[client]
        start = queue.popleft()
        if queue:
            self._clients[client] = queue
        if start.done():
            return False
        start.set_result(None)
        return True
