"""Expensive work: parsing of large bodies and reads of history. It is done in turns, and counts against the client's request limits."""

import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial

from sanic import Request

from sector.process.connections import client_network
from sector.process.fair_queue import FairQueue
from sector.process.request_limits import RequestLimits, units

type Turn = Callable[[], AbstractAsyncContextManager[None]]


class RequestThrottle:
    """The expensive work of one process. `subject`: the name of the token of a request, if that is known."""

    def __init__(
        self, limits: RequestLimits, address: Callable[[Request], str], subject: Callable[[Request], str | None]
    ) -> None:
        self._limits = limits
        self._address = address
        self._subject = subject
        self._turns = FairQueue()

    def turns_of(self, request: Request) -> Turn:
        """Return what waits for a turn of the client of a request, and holds it. It raises TooManyTurns."""
        return partial(self.turn, request)

    @asynccontextmanager
    async def turn(self, request: Request) -> AsyncIterator[None]:
        """Wait for a turn, and hold it during the block. Raises TooManyTurns."""
        async with self._turns.turn(client_network(self._address(request))):
            began_s = time.monotonic()
            try:
                yield
            finally:
                self._limits.charge(
                    self._subject(request), self._address(request), units(0, 0, time.monotonic() - began_s)
                )

    def check_turns(self, request: Request) -> None:
        """Raise TooManyTurns if the client of a request waits for as many turns as it may."""
        self._turns.check(client_network(self._address(request)))

    def check(self, request: Request) -> None:
        """Raise TooManyRequests if the client of a request has used up its units."""
        self._limits.check(self._subject(request), self._address(request))

    def charge(self, request: Request, sent: int) -> None:
        """Note that a request was answered with so many bytes."""
        self._limits.charge(self._subject(request), self._address(request), units(len(request.body), sent))
