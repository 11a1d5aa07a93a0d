"""A stranger at the viz: handshakes that go no further, sims that do not exist, and frames and heads that are malformed."""

import asyncio
import time
from base64 import b64encode
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress

import httpx
import msgpack

from hostile.attempt import Attempt, TargetWorld
from hostile.slow_network import Client, connected

_FOR_S = 4.0
_EXPIRES_WITHIN_S = 10.0
_TEXT, _BINARY = 1, 2
_UPGRADE = (
    b"GET /ws/?EIO=4&transport=websocket HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: websocket\r\n"
    b"sec-websocket-version: 13\r\nsec-websocket-key: " + b64encode(b"0123456789abcdef") + b"\r\n\r\n"
)


def frame(opcode: int, body: bytes) -> bytes:
    """Return a frame of a WebSocket, masked with zeros."""
    length = bytes((0x80 | len(body),)) if len(body) < 126 else b"\xfe" + len(body).to_bytes(2)
    return bytes((0x80 | opcode,)) + length + bytes(4) + body


def message(**packet: object) -> bytes:
    """Return a packet of Socket.IO as a frame."""
    return frame(_BINARY, msgpack.packb({"nsp": "/", **packet}))


_CONNECT = message(type=0)


def watch(sim_id: str) -> bytes:
    """Return the frame that asks to watch a sim."""
    return message(type=2, data=["watch", sim_id, ""])


async def upgrade(client: Client) -> None:
    """Make a WebSocket of a connection."""
    reader, writer = client
    writer.write(_UPGRADE)
    await reader.readuntil(b'"sid"')


async def spectate(target: TargetWorld) -> None:
    """Watch the sim as a real spectator does, until the world comes."""
    async with connected(target.viz.port, 1) as (client,), asyncio.timeout(10):
        await upgrade(client)
        reader, writer = client
        writer.write(_CONNECT)
        await reader.readuntil(b"sid")
        writer.write(watch(target.sim_id))
        await reader.readuntil(b"moment")


async def _polling_handshakes(target: TargetWorld) -> None:
    async with httpx.AsyncClient(base_url=target.viz.url) as client:
        deadline_s = time.monotonic() + _FOR_S
        while time.monotonic() < deadline_s:
            assert (await client.get("/ws/?EIO=4&transport=polling")).status_code == 400
        await spectate(target)


async def _silent_websockets(target: TargetWorld) -> None:
    async with connected(target.viz.port, 300) as clients:
        await asyncio.gather(*map(upgrade, clients))
        await spectate(target)
        async with asyncio.timeout(_EXPIRES_WITHIN_S):
            await asyncio.gather(*(reader.read() for reader, _ in clients))


async def _sims_that_do_not_exist(target: TargetWorld) -> None:
    async with connected(target.viz.port, 250) as clients:
        await asyncio.gather(*map(upgrade, clients))
        for number, (_, writer) in enumerate(clients):
            writer.write(_CONNECT + watch(f"fake{number}"))
        await asyncio.sleep(_FOR_S)
        await spectate(target)
        async with httpx.AsyncClient() as http:
            metrics = (await http.get(f"{target.viz.url}/metrics")).text
        shown = next(float(line.split()[1]) for line in metrics.splitlines() if line.startswith("sector_viz_sims "))
        assert shown < 10


async def _one_that_watches_everything(target: TargetWorld) -> None:
    async with connected(target.viz.port, 1) as (client,):
        await upgrade(client)
        _, writer = client
        writer.write(_CONNECT)
        for number in range(2_000):
            writer.write(watch(f"fake{number}"))
            await writer.drain()
        await asyncio.sleep(1)
        await spectate(target)


def _malformed(frames: Sequence[bytes]) -> Callable[[TargetWorld], Awaitable[None]]:
    async def act(target: TargetWorld) -> None:
        logged = len(target.viz.log.read_text().splitlines())
        sent, deadline_s = 0, time.monotonic() + _FOR_S
        while time.monotonic() < deadline_s:
            async with connected(target.viz.port, 10) as clients:
                await asyncio.gather(*map(upgrade, clients))
                for number, (reader, writer) in enumerate(clients):
                    writer.write(frames[number % len(frames)])
                    sent += 1
                    with suppress(ConnectionError, TimeoutError):
                        async with asyncio.timeout(1):
                            await reader.read()
        lines = target.viz.log.read_text().splitlines()[logged:]
        assert len(lines) <= sent
        assert not any("Traceback" in line for line in lines)
        await spectate(target)

    return act


def _malformed_heads(head: bytes) -> Callable[[TargetWorld], Awaitable[None]]:
    async def act(target: TargetWorld) -> None:
        logged = {service.name: len(service.log.read_text()) for service in (target.api, target.viz, target.worker)}
        deadline_s = time.monotonic() + _FOR_S
        while time.monotonic() < deadline_s:
            for service in (target.viz, target.api, target.worker):
                async with connected(service.port, 10) as clients:
                    for reader, writer in clients:
                        writer.write(head + b" HTTP/1.1\r\nhost: a\r\n\r\n")
                        assert (await reader.readline()).startswith(b"HTTP/1.1 400 "), service.name
        for service in (target.viz, target.api, target.worker):
            assert "Traceback" not in service.log.read_text()[logged[service.name] :], service.name

    return act


_FRAMES = (
    frame(_TEXT, b"b!!!!"),
    frame(_TEXT, b""),
    frame(_TEXT, b"\xff\xfe"),
    frame(_TEXT, b"4" + b"[" * 4_000),
    _CONNECT + message(type=2, data=[[1]]) + frame(_TEXT, b"bA"),
    frame(_BINARY, b"x" * 20_000),
    frame(11, b""),
)

ATTEMPTS = (
    Attempt("handshakes by polling over one connection", _polling_handshakes),
    Attempt("300 WebSockets that say nothing", _silent_websockets),
    Attempt("250 spectators of sims that do not exist", _sims_that_do_not_exist),
    Attempt("one spectator that watches 2,000 sims", _one_that_watches_everything),
    Attempt("malformed frames", _malformed(_FRAMES)),
    Attempt("a tab in the target", _malformed_heads(b"GET /a\tb")),
    Attempt("an escape sequence in the target", _malformed_heads(b"GET /a\x1b[31mb")),
    Attempt("CONNECT", _malformed_heads(b"CONNECT a:1")),
)
