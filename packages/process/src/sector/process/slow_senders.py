"""Slow senders: a request has so long to arrive, however steadily it trickles. Sanic's own limit begins anew with each byte."""

import asyncio
from collections.abc import Callable, Iterable

from sanic.exceptions import RequestTimeout
from sanic.http import Stage
from sanic.http.http1 import Http
from sanic.server.protocols.http_protocol import HttpProtocol

type _Arrival = tuple[int, float]


class SenderLimit:
    """Ends connections whose request is not there within `limit_s` seconds; they are answered with 408."""

    def __init__(self, connections: Callable[[], Iterable[HttpProtocol]], limit_s: float) -> None:
        self._connections = connections
        self._limit_s = limit_s
        self._arriving: dict[HttpProtocol, _Arrival] = {}

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
        for connection in tuple(self._connections()):
            http, task = connection.http, connection._task  # noqa: SLF001  (as Sanic's own timeouts do)
            if http is None or task is None or not _is_arriving(http):
                continue
            count = connection.state["requests_count"]
            known = self._arriving.get(connection)
            since_s = known[1] if known is not None and known[0] == count else now_s
            if now_s - since_s > self._limit_s:
                http.exception = RequestTimeout(f"a request has {self._limit_s:g} s to arrive")
                task.cancel()
            else:
                arriving[connection] = (count, since_s)
        self._arriving = arriving


def _is_arriving(http: Http) -> bool:
    return http.stage is Stage.REQUEST or (http.stage is Stage.HANDLER and bool(http.request_body))
