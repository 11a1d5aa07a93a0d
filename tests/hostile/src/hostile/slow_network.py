"""A slow network: clients that send slowly or not at all, take nothing of what is sent, or vanish amid a request."""

import asyncio
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

from hostile.attempt import Attempt, TargetWorld

_FOR_S = 4.0
_DRIP_S = 0.25
_GIVES_UP_S = 20.0
_CHUNKED = b"POST %b HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n"
_CHUNK = b"1\r\n \r\n"
_HEAD = b"GET /health/live HTTP/1.1\r\nhost: a\r\n"

type Client = tuple[asyncio.StreamReader, asyncio.StreamWriter]
type Port = Callable[[TargetWorld], int]


@asynccontextmanager
async def connected(port: int, count: int) -> AsyncIterator[list[Client]]:
    """Open so many connections, and close them at the end."""
    clients: list[Client] = []
    try:
        while len(clients) < count:
            wanted = min(50, count - len(clients))
            clients += await asyncio.gather(*(asyncio.open_connection("127.0.0.1", port) for _ in range(wanted)))
        yield clients
    finally:
        for _, writer in clients:
            writer.transport.abort()


async def drip(client: Client, first: bytes, drop: bytes, for_s: float) -> bool:
    """Send a little every quarter of a second; return whether the connection was closed by the server."""
    reader, writer = client
    with suppress(ConnectionError):
        writer.write(first)
        for _ in range(round(for_s / _DRIP_S)):
            await asyncio.sleep(_DRIP_S)
            writer.write(drop)
            await writer.drain()
            if reader.at_eof():
                return True
        return False
    return True


async def is_refused(client: Client) -> bool:
    """Return whether a connection was answered with 503 before it asked for anything."""
    with suppress(TimeoutError):
        try:
            async with asyncio.timeout(0.5):
                return (await client[0].readline()).startswith(b"HTTP/1.1 503 ")
        except ConnectionError:
            return True
    return False


def _dripping(port: Port, first: bytes, drop: bytes, count: int) -> Callable[[TargetWorld], Awaitable[None]]:
    async def act(target: TargetWorld) -> None:
        async with connected(port(target), count) as clients:
            await asyncio.gather(*(drip(client, first, drop, _FOR_S) for client in clients))

    return act


def _dripping_on(port: Port, first: bytes, drop: bytes) -> Callable[[TargetWorld], Awaitable[None]]:
    """Go on after the answer, and longer than a request may take."""

    async def act(target: TargetWorld) -> None:
        async with connected(port(target), 100) as clients:
            closed = await asyncio.gather(*(drip(client, first, drop, _GIVES_UP_S) for client in clients))
        assert all(closed), f"{closed.count(False)} of 100 are still connected"

    return act


def _silent(port: Port, count: int) -> Callable[[TargetWorld], Awaitable[None]]:
    async def act(target: TargetWorld) -> None:
        async with connected(port(target), count) as clients:
            await asyncio.sleep(_FOR_S)
            refused = sum(await asyncio.gather(*(is_refused(client) for client in clients)))
            assert refused >= count - 1_000, f"{refused} of {count} connections of one address were refused"

    return act


def _taking_nothing(port: Port, request: bytes, count: int) -> Callable[[TargetWorld], Awaitable[None]]:
    async def act(target: TargetWorld) -> None:
        loop, clients = asyncio.get_running_loop(), list[socket.socket]()
        try:
            for _ in range(count):
                clients.append(client := socket.socket())
                client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
                client.setblocking(False)
                await loop.sock_connect(client, ("127.0.0.1", port(target)))
                with suppress(ConnectionError, BlockingIOError):
                    client.send(request)
            await asyncio.sleep(_FOR_S)
        finally:
            for client in clients:
                client.close()

    return act


async def _vanishing(target: TargetWorld) -> None:
    """Reset connections amid the head, the body, and the answer."""
    logged = {service.name: len(service.log.read_text()) for service in (target.api, target.viz, target.worker)}
    for beginning in (_HEAD, _CHUNKED % b"/orders" + _CHUNK, b"GET /snapshot HTTP/1.1\r\nhost: a\r\n\r\n"):
        for service in (target.api, target.viz, target.worker):
            async with connected(service.port, 100) as clients:
                for _, writer in clients:
                    client_socket = writer.get_extra_info("socket")
                    client_socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    writer.write(beginning)
                await asyncio.sleep(0.05)
    for service in (target.api, target.viz, target.worker):
        assert "uncaught" not in service.log.read_text()[logged[service.name] :], service.name


def _api(target: TargetWorld) -> int:
    return target.api.port


def _viz(target: TargetWorld) -> int:
    return target.viz.port


def _worker(target: TargetWorld) -> int:
    return target.worker.port


ATTEMPTS = (
    Attempt("bodies that trickle on after the 408 of the API", _dripping_on(_api, _CHUNKED % b"/orders", _CHUNK)),
    Attempt("bodies that trickle on after the 404 of the viz", _dripping_on(_viz, _CHUNKED % b"/x", _CHUNK)),
    Attempt("bodies that trickle on after the 404 of the worker", _dripping_on(_worker, _CHUNKED % b"/x", _CHUNK)),
    Attempt("heads that trickle to the API", _dripping(_api, _HEAD, b"x: y\r\n", 500)),
    Attempt("heads that trickle to the worker", _dripping(_worker, _HEAD, b"x: y\r\n", 500)),
    Attempt("1,500 silent connections to the API", _silent(_api, 1_500)),
    Attempt("1,500 silent connections to the viz", _silent(_viz, 1_500)),
    Attempt("1,500 silent connections to the worker", _silent(_worker, 1_500)),
    Attempt(
        "readers that take nothing of an event stream",
        _taking_nothing(_api, b"GET /events/stream HTTP/1.1\r\nhost: a\r\n\r\n", 200),
    ),
    Attempt(
        "readers that take nothing of 200 states",
        _taking_nothing(_api, b"GET /snapshot HTTP/1.1\r\nhost: a\r\n\r\n" * 200, 20),
    ),
    Attempt(
        "readers that take nothing of 200 pages", _taking_nothing(_viz, b"GET / HTTP/1.1\r\nhost: a\r\n\r\n" * 200, 20)
    ),
    Attempt("clients that vanish amid a request", _vanishing),
)
