"""Requests that record the time of their arrival."""

from time import perf_counter
from types import SimpleNamespace

from sanic import Request, Sanic
from sanic.compat import Header
from sanic.config import Config
from sanic.models.protocol_types import TransportProtocol

type _App = Sanic[Config, SimpleNamespace]


class TimedRequest(Request[_App, SimpleNamespace]):
    """A request that is created when its head has been read."""

    __slots__ = ("received_s",)

    def __init__(
        self,
        url_bytes: bytes,
        headers: Header,
        version: str,
        method: str,
        transport: TransportProtocol,
        app: _App,
        head: bytes = b"",
        stream_id: int = 0,
    ) -> None:
        super().__init__(url_bytes, headers, version, method, transport, app, head, stream_id)
        self.received_s = perf_counter()


def elapsed_s(request: Request) -> float | None:
    """Return the seconds since the head of a request was read, or None for a request without a connection."""
    return perf_counter() - request.received_s if isinstance(request, TimedRequest) else None
