"""Throttling of requests: request limits, and turns for expensive work.

Expensive work is the parsing of large bodies and reads of history. Clients take turns with it, and it counts against the request limits
of the client.
"""

import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial

from sanic import Request

from sector.process.client_networks import client_network
from sector.process.fair_queue import FairQueue
from sector.process.request_limits import RequestLimits, units

type Turn = Callable[[], AbstractAsyncContextManager[None]]
"""Waits for a turn of one client, and holds it during the block. Raises FairQueueFull."""


class RequestThrottle:
    """The request limits and the turns of one process. `subject` returns the subject of the token of a request, if it is valid."""

    def __init__(
        self, limits: RequestLimits, address: Callable[[Request], str], subject: Callable[[Request], str | None]
    ) -> None:
        self._limits = limits
        self._address = address
        self._subject = subject
        self._turns = FairQueue()

    def turn_of(self, request: Request) -> Turn:
        """Return a function that waits for a turn of the client of a request."""
        return partial(self.turn, request)

    @asynccontextmanager
    async def turn(self, request: Request) -> AsyncIterator[None]:
        """Wait for a turn, and hold it during the block. Raises FairQueueFull."""
        async with self._turns.turn(client_network(self._address(request))):
            began_s = time.monotonic()
            try:
                yield
            finally:
                self._limits.charge(
                    self._subject(request), self._address(request), units(0, 0, time.monotonic() - began_s)
                )

    def check_turns(self, request: Request) -> None:
        """Raise FairQueueFull if as many requests of the client as allowed wait for a turn."""
        self._turns.check(client_network(self._address(request)))

    def check(self, request: Request) -> None:
        """Raise TooManyRequests if the client of a request has used up its units."""
        self._limits.check(self._subject(request), self._address(request))

    def charge(self, request: Request, sent_bytes: int) -> None:
        """Charge the client for a request and its response of `sent_bytes`."""
        self._limits.charge(self._subject(request), self._address(request), units(len(request.body), sent_bytes))
