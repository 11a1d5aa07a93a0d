"""A crowd: hundreds of clients at one address that ask at the same time, again and again."""

import asyncio
import time
from collections.abc import Awaitable, Callable

from hostile.attempt import Attempt, Scene
from hostile.slow_network import Client, Port, connected

_FOR_S = 4.0
_CLIENTS = 800
_CONNECTING = 100
"""Clients that connect for each request. The system has connections accepted in order, so that more of these do delay others."""
_LENGTH = b"content-length: "


def _crowd(port_of: Port, path: bytes, *, connections: str) -> Callable[[Scene], Awaitable[None]]:
    request = b"GET %b HTTP/1.1\r\nhost: a\r\nconnection: %b\r\n\r\n" % (path, connections.encode())

    async def act(scene: Scene) -> None:
        port, end_s = port_of(scene), time.monotonic() + _FOR_S
        if connections == "close":
            await asyncio.gather(*(_ask_on_new_connections(port, request, end_s) for _ in range(_CONNECTING)))
        else:
            async with connected(port, _CLIENTS) as clients:
                await asyncio.gather(*(_ask_again(client, request, end_s) for client in clients))

    return act


async def _ask_again(client: Client, request: bytes, end_s: float) -> None:
    reader, writer = client
    while time.monotonic() < end_s:
        writer.write(request)
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        assert head.startswith(b"http/1.1 "), head
        lengths = [int(line.removeprefix(_LENGTH)) for line in head.split(b"\r\n") if line.startswith(_LENGTH)]
        await reader.readexactly(sum(lengths))


async def _ask_on_new_connections(port: int, request: bytes, end_s: float) -> None:
    while time.monotonic() < end_s:
        async with connected(port, 1) as ((reader, writer),):
            writer.write(request)
            assert (await reader.read()).startswith(b"HTTP/1.1 ")


ATTEMPTS = (
    Attempt("800 clients of the API that ask again", _crowd(lambda s: s.api.port, b"/map", connections="keep-alive")),
    Attempt("800 clients of the viz that ask again", _crowd(lambda s: s.viz.port, b"/none", connections="keep-alive")),
    Attempt(
        "800 clients of the worker that ask", _crowd(lambda s: s.worker.port, b"/health", connections="keep-alive")
    ),
    Attempt("100 clients of the API that connect again", _crowd(lambda s: s.api.port, b"/none", connections="close")),
    Attempt("100 clients of the viz that connect again", _crowd(lambda s: s.viz.port, b"/none", connections="close")),
)
