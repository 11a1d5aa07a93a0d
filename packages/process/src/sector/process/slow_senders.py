"""Limit for slow senders: the time in which a whole request must arrive.

The limit of Sanic starts again with each byte.

A request that got an early response (408, 404, 413) may still be arriving, and Sanic reads and drops the rest. The same
limit applies to it.
"""

import asyncio
from collections.abc import Callable, Iterable

from sanic.exceptions import RequestTimeout
from sanic.http import Stage
from sanic.http.http1 import Http
from sanic.server.protocols.http_protocol import HttpProtocol

from sector.process.connections import abort

type _Arrival = tuple[int, float]


class SenderLimit:
    """Ends connections whose request has not arrived within `limit_s` seconds.

    A request without a response gets a 408. If it already has a response, or continues after the 408, the connection is
    aborted.
    """

    def __init__(self, connections: Callable[[], Iterable[HttpProtocol]], limit_s: float) -> None:
        self._connections = connections
        self._limit_s = limit_s
        self._arriving: dict[HttpProtocol, _Arrival] = {}
        self._timed_out: set[HttpProtocol] = set()

    async def run(self, stop: asyncio.Event) -> None:
        """Check all connections several times within the limit, until `stop` is set."""
        loop = asyncio.get_running_loop()
        while not stop.is_set():
            self.look(loop.time())
            try:
                async with asyncio.timeout(min(self._limit_s / 4, 1.0)):
                    await stop.wait()
            except TimeoutError:
                continue

    def look(self, now_s: float) -> None:
        """End the connections whose present request has been arriving for too long."""
        arriving: dict[HttpProtocol, _Arrival] = {}
        timed_out: set[HttpProtocol] = set()
        for connection in tuple(self._connections()):
            http, task = connection.http, connection._task  # noqa: SLF001  (like the timeouts of Sanic)
            if http is None or task is None or not _is_arriving(http):
                continue
            # Sanic counts a request after its head has arrived.
            count = connection.state["requests_count"] + (http.stage is Stage.REQUEST)
            arrival = self._arriving.get(connection)
            since_s = arrival[1] if arrival is not None and arrival[0] == count else now_s
            if connection in self._timed_out:
                # It had the time between two checks to read its response.
                abort(connection)
            elif now_s - since_s <= self._limit_s:
                arriving[connection] = (count, since_s)
            elif http.stage is Stage.IDLE:
                abort(connection)
            else:
                http.exception = RequestTimeout()
                task.cancel()
                timed_out.add(connection)
        self._arriving, self._timed_out = arriving, timed_out


def _is_arriving(http: Http) -> bool:
    if http.stage is Stage.REQUEST:
        return True
    # In IDLE with a body, the response is sent, and the rest of the request is dropped.
    return http.stage in (Stage.HANDLER, Stage.IDLE) and bool(getattr(http, "request_body", None))
