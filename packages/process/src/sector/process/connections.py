"""Connection limits: how many connections a process accepts, in total and from one address.

A connection above a limit gets a 503 response and is closed before the process reads anything.
"""

import logging
import resource
from asyncio.transports import BaseTransport, Transport
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, cast

import orjson
from prometheus_client import Counter, Gauge
from sanic import Request
from sanic.server.protocols.http_protocol import HttpProtocol
from sanic.server.protocols.websocket_protocol import WebSocketProtocol
from sanic.server.websockets.impl import WebsocketImplProtocol

# This import comes before the definition of metrics, because it sets how their values are stored.
import sector.process.metrics  # noqa: F401
from sector.models.deprecated_names import deprecated_names
from sector.process.client_networks import client_network
from sector.process.strict_http import StrictHttp

log = logging.getLogger(__name__)

_CONNECTIONS = Gauge("sector_http_connections", "Open connections from clients.", multiprocess_mode="livesum")
_REFUSED = Counter(
    "sector_http_connections_refused",
    "Connections answered with 503 and closed, by exceeded limit: `process` or `address`.",
    ["limit"],
)
_DEFAULT_MAX_CONNECTIONS = 20_000
_MAX_DESCRIPTORS = 2**20
_MAX_RESERVED_DESCRIPTORS = 768
"""Descriptors that are not for clients: connections to Redis, listening sockets and files."""
_FEW = 4
_INVALID_DATA = 1007
"""The WebSocket close code for invalid data (RFC 6455)."""
_PROBLEM = orjson.dumps(
    {
        "type": "about:blank",
        "title": "Service Unavailable",
        "status": 503,
        "detail": "too many connections: try again in 5 s",
    }
)
_REFUSAL = (
    b"HTTP/1.1 503 Service Unavailable\r\nconnection: close\r\nretry-after: 5\r\n"
    b"content-type: application/problem+json\r\ncontent-length: %d\r\n\r\n%b" % (len(_PROBLEM), _PROBLEM)
)


def raise_descriptor_limit() -> None:
    """Raise the soft descriptor limit (`RLIMIT_NOFILE`, `ulimit -n`) to the hard limit.

    A common default of the soft limit is 1,024, for programs that use `select`.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _MAX_DESCRIPTORS if hard == resource.RLIM_INFINITY else min(hard, _MAX_DESCRIPTORS)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        except (OSError, ValueError) as error:
            extra = {"limit": soft, "wanted": wanted, "error": str(error)}
            log.warning("descriptor limit not raised", extra=extra)


def describe_shortage(promised: tuple[str, int], requested: int, accepted: int) -> str:
    """Return why the process accepts fewer connections than a setting promises, or "" if there are enough.

    `promised`: the name of the setting and its value. `requested`: MAX_CONNECTIONS. `accepted`: how many it accepts.
    """
    name, most = promised
    if accepted >= most:
        return ""
    if requested == accepted:
        return f"{name} is {most}, and MAX_CONNECTIONS is {accepted}: raise it, or lower {name}"
    descriptors, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return (
        f"{name} is {most}, and {accepted} connections are accepted within the descriptor limit of {descriptors}:"
        f" raise it (ulimit -n), or lower {name}"
    )


def resolve_max_connections(requested: int) -> int:
    """Return how many connections to accept, within the descriptor limit (`RLIMIT_NOFILE`).

    `requested`: the wanted number. 0 stands for 20,000.
    """
    wanted = requested or _DEFAULT_MAX_CONNECTIONS
    descriptors, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if descriptors == resource.RLIM_INFINITY:
        return wanted
    room = max(descriptors - min(descriptors // 2, _MAX_RESERVED_DESCRIPTORS), 1)
    if requested > room:
        extra = {"requested": requested, "descriptor_limit": descriptors, "accepted": room}
        log.warning("MAX_CONNECTIONS is above the descriptor limit", extra=extra)
    return min(wanted, room)


type AddressOf = Callable[[Request], str]
"""Returns the address of the client that sent a request."""


def address_behind(proxies: int) -> AddressOf:
    """Return a function that returns the client address of a request.

    `proxies`: how many proxies are in front of this process.
    """
    if proxies:
        return lambda request: request.client_ip
    return lambda request: request.conn_info.client_ip if request.conn_info else ""


class ConnectionLimit:
    """Counts open connections and limits them.

    `max_per_address`: 0 stands for no limit, for example if all connections come from a proxy. The last twentieth of
    the total is reserved for addresses with few connections, so that probes and new clients still get through.
    """

    def __init__(self, max_total: int, max_per_address: int) -> None:
        self._max_total = max_total
        self._max_shared = max_total - max(max_total // 20, 1)
        self._max_per_address = max_per_address
        self._by_address: dict[str, int] = {}
        self.total = 0

    def admit(self, address: str) -> bool:
        """Count a connection from `address` unless it exceeds a limit. Return whether it was counted."""
        count = self._by_address.get(address, 0)
        if self.total >= self._max_total or (self.total >= self._max_shared and count >= _FEW):
            _REFUSED.labels("process").inc()
            return False
        if self._max_per_address and count >= self._max_per_address:
            _REFUSED.labels("address").inc()
            return False
        self._by_address[address] = count + 1
        self.total += 1
        _CONNECTIONS.inc()
        return True

    def release(self, address: str) -> None:
        """Count a connection from `address` as closed."""
        self.total -= 1
        _CONNECTIONS.dec()
        if (count := self._by_address[address] - 1) > 0:
            self._by_address[address] = count
        else:
            del self._by_address[address]


class _Limited:
    """Rejects connections above the limit of the app, `app.ctx.connection_limit`."""

    app: Any
    http: Any
    client_network: str | None
    input_ended = False
    """Whether the client has closed its sending side."""

    def connection_made(self, transport: BaseTransport) -> None:
        peer = transport.get_extra_info("peername")
        network = client_network(peer[0]) if isinstance(peer, tuple) else ""
        if not self.app.ctx.connection_limit.admit(network):
            self.client_network = None
            cast("Transport", transport).write(_REFUSAL)
            transport.close()
            return
        self.client_network = network
        cast("Any", super()).connection_made(transport)

    def eof_received(self) -> bool | None:
        """Keep the connection open while a request waits for its start.

        A client may close its sending side after its request.
        """
        if self.http is not None and self.http.waits_for_start:
            self.input_ended = True
            return True
        closes: bool | None = cast("Any", super()).eof_received()
        return closes

    def connection_lost(self, exc: Exception | None) -> None:
        # Sanic has no state for a rejected connection.
        if self.client_network is not None:
            self.app.ctx.connection_limit.release(self.client_network)
            cast("Any", super()).connection_lost(exc)


class LimitedHttpProtocol(_Limited, HttpProtocol):
    """The HTTP protocol of a connection, strict as in RFC 9112, with connection limits."""

    HTTP_CLASS = StrictHttp


class LimitedWebSocketProtocol(_Limited, WebSocketProtocol):
    """The HTTP and WebSocket protocols of a connection, with connection limits.

    Text that is not UTF-8 closes a WebSocket with 1007.
    """

    HTTP_CLASS = StrictHttp

    async def websocket_handshake(
        self, request: Request, subprotocols: Sequence[str] | None = None
    ) -> WebsocketImplProtocol:
        websocket: WebsocketImplProtocol = await super().websocket_handshake(request, subprotocols)
        process_events = websocket.process_events

        async def process_or_fail(events: Sequence[Any]) -> None:
            try:
                await process_events(events)
            except UnicodeDecodeError:
                # Sanic decodes in a task that nothing awaits. An error would be logged as a traceback and leave the
                # connection open.
                websocket.fail_connection(_INVALID_DATA, "text is not UTF-8")

        websocket.process_events = process_or_fail  # type: ignore[method-assign]
        return websocket


def abort(connection: HttpProtocol) -> None:
    """Close a connection at once.

    The `abort` of Sanic forgets the transport, and fails with a traceback while a head is arriving.
    """
    if connection.transport is not None:
        connection.transport.abort()


if not TYPE_CHECKING:  # (a type checker would allow any name)
    __getattr__ = deprecated_names(
        __name__,
        {name: f"sector.process.client_networks.{name}" for name in ("MAX_ADDRESS", "set_ipv6_prefix")},
    )
