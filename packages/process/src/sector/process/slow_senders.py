"""Slow senders: a request has so long to arrive, however steadily it trickles. Sanic's own limit begins again with each byte.

A request that was answered early (408, 404, 413) may still be arriving: Sanic reads and drops the rest. The same limit holds for it.
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

    A request without an answer is answered with 408. If it was answered already, or goes on after the 408, the connection is aborted.
    """

    def __init__(self, connections: Callable[[], Iterable[HttpProtocol]], limit_s: float) -> None:
        self._connections = connections
        self._limit_s = limit_s
        self._arriving: dict[HttpProtocol, _Arrival] = {}
        self._timed_out: set[HttpProtocol] = set()

    async def run(self, stop: asyncio.Event) -> None:
        """Look until `stop`, several times in the limit."""
        loop = asyncio.get_running_loop()
        while not stop.is_set():
            self.look(loop.time())
            try:
                async with asyncio.timeout(min(self._limit_s / 4, 1.0)):
                    await stop.wait()
            except TimeoutError:
                continue

    def look(self, now_s: float) -> None:
        """End those that were seen sending the same request for too long."""
        arriving: dict[HttpProtocol, _Arrival] = {}
        timed_out: set[HttpProtocol] = set()
        for connection in tuple(self._connections()):
            http, task = connection.http, connection._task  # noqa: SLF001  (as Sanic's own timeouts do)
            if http is None or task is None or not _is_arriving(http):
                continue
            # Sanic counts a request once its head has arrived.
            count = connection.state["requests_count"] + (http.stage is Stage.REQUEST)
            arrival = self._arriving.get(connection)
            since_s = arrival[1] if arrival is not None and arrival[0] == count else now_s
            if connection in self._timed_out:
                # It had the time from one look to the next to take its answer.
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
    # In IDLE with a body, the answer is sent, and what still comes of the request is dropped.
    return http.stage in (Stage.HANDLER, Stage.IDLE) and bool(getattr(http, "request_body", None))
