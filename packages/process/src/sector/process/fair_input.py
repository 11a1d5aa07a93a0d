"""Fair input: what clients send is handled a little at a time, in rotation over their networks.

An event loop handles all that arrived before it looks for more. A thousand clients that send at once would hold the request of any other
for as long as all of theirs take. So each iteration of the loop handles a few, and a client of another network is among the next ones.
"""

from collections import deque
from collections.abc import Callable

_PER_ITERATION = 4
"""Requests of 0.2 ms, mostly. A probe waits for some milliseconds, and libuv accepts one connection in each iteration."""

type _Handle = Callable[[], None]


class FairInput:
    """Decides what is handled now and what waits. `call_soon`: calls a function in the next iteration of the event loop."""

    def __init__(self, call_soon: Callable[[Callable[[], None]], object], per_iteration: int = _PER_ITERATION) -> None:
        self._call_soon = call_soon
        self._per_iteration = per_iteration
        self._left = per_iteration
        self._scheduled = False
        self._queues: dict[str, deque[_Handle]] = {}
        """By network, in the order of their turns."""

    def take(self) -> bool:
        """Say whether more input may be handled in this iteration; if so, it counts."""
        if self._queues or not self._left:
            return False
        self._left -= 1
        self._schedule()
        return True

    def queue(self, network: str, handle: _Handle) -> None:
        """Call `handle` when it is the turn of its network. What a network sent is handled in order."""
        self._queues.setdefault(network, deque()).append(handle)
        self._schedule()

    def _schedule(self) -> None:
        if not self._scheduled:
            self._scheduled = True
            self._call_soon(self._iterate)

    def _iterate(self) -> None:
        self._scheduled = False
        self._left = self._per_iteration
        while self._queues and self._left:
            self._left -= 1
            network, queue = next(iter(self._queues.items()))
            # The next turn of this network comes after those of all others.
            del self._queues[network]
            handle = queue.popleft()
            if queue:
                self._queues[network] = queue
            self._schedule()
            handle()
