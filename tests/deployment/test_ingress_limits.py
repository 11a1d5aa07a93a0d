"""The Ingresses limit the requests and connections of an address in a real nginx, and no other address."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from deployment.ingress_nginx import IngressProxy
from deployment.kinds import Ingress
from deployment.rendered import BASE, Rendered
from fixtures.nginx import require_nginx
from fixtures.processes import free_port

_ANSWER = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"
_OTHER = "127.0.0.2"
_AT_ONCE = 500


async def _serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer at once or never, depending on the path."""
    try:
        while head := await reader.readuntil(b"\r\n\r\n"):
            if b"/stream" in head.split(b"\r\n")[0]:
                await reader.read()
                return
            writer.write(_ANSWER)
    except (asyncio.IncompleteReadError, ConnectionError):
        return
    finally:
        writer.close()


@pytest.fixture
async def gate(tmp_path: Path) -> AsyncIterator[IngressProxy]:
    """An nginx with one server in place of all pods."""
    nginx = require_nginx()
    for each in (tmp_path, *list(tmp_path.parents)[:3]):
        each.chmod(0o755)
    port = free_port()
    server = await asyncio.start_server(_serve, "127.0.0.1", port, backlog=1024)
    gate = IngressProxy(Rendered.of(BASE).all(Ingress), nginx, free_port(), tmp_path)
    await asyncio.to_thread(gate.open, {"api": [port], "viz": [port]})
    yield gate
    gate.close()
    server.close()


async def statuses(gate: IngressProxy, path: str, requests: int, address: str = "127.0.0.1") -> Counter[int]:
    """Send requests over one connection at full speed, and count the statuses of the responses."""
    reader, writer = await asyncio.open_connection("127.0.0.1", gate.port, local_addr=(address, 0))
    writer.write(f"GET {path} HTTP/1.1\r\nHost: sector.local\r\n\r\n".encode() * requests)
    counted: Counter[int] = Counter()
    while counted.total() < requests:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
        except asyncio.IncompleteReadError:
            break  # nginx closes a connection after a thousand requests
        fields = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:] if line)
        await reader.readexactly(int(fields[b"content-length"]))
        counted[int(head.split(b" ", 2)[1])] += 1
    writer.close()
    return counted


@pytest.mark.parametrize(("path", "at_once"), [("/api/map", 2_500), ("/", 1_000)])
async def test_requests_above_the_limit_of_an_address_are_rejected(gate: IngressProxy, path: str, at_once: int) -> None:
    counted: Counter[int] = Counter()
    while counted[503] == 0:
        counted += await statuses(gate, path, 900)
        assert counted[200] < 20 * at_once
    assert counted[200] >= at_once
    assert await statuses(gate, path, 1, _OTHER) == {200: 1}


@pytest.mark.parametrize("path", ["/api/events/stream", "/ws/stream"])
async def test_connections_above_the_limit_of_an_address_are_rejected(gate: IngressProxy, path: str) -> None:
    open_ones = [await asyncio.open_connection("127.0.0.1", gate.port) for _ in range(_AT_ONCE)]
    for _, writer in open_ones:
        writer.write(f"GET {path} HTTP/1.1\r\nHost: sector.local\r\n\r\n".encode())
    # The last connections are refused only once all others are open.
    refused: Counter[int] = Counter()
    while not refused[503]:
        async with asyncio.timeout(60):
            refused += await statuses(gate, "/api/map" if path.startswith("/api") else "/", 1)
    assert await statuses(gate, "/api/map", 1, _OTHER) == {200: 1}
    for _, writer in open_ones:
        writer.close()
