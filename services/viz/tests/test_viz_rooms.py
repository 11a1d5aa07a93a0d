"""The limit of spectators, and spectators that read nothing."""

import asyncio
import socket
from base64 import b64encode
from secrets import token_urlsafe

import msgpack
import pytest
from socketio.exceptions import ConnectionError as Refused
from spectator import Spectate

from fixtures.processes import Processes, Service
from fixtures.sim import Sim
from fixtures.waiting import wait_until
from sector.models import Note

pytest_plugins = ("spectating",)


async def test_spectators_that_left_are_not_counted(viz: Service, spectate: Spectate) -> None:
    spectators = [await spectate(viz, alone=True) for _ in range(3)]
    await asyncio.to_thread(viz.wait_for, lambda health: health["spectators"] == 3, "watched by three")
    await spectators[0].leave()
    await asyncio.to_thread(viz.wait_for, lambda health: health["spectators"] == 2, "watched by two")


async def test_spectators_beyond_the_limit_are_refused(
    sim: Sim, redis_url: str, processes: Processes, spectate: Spectate, polling: str
) -> None:
    assert sim.lease.epoch == 1
    viz = processes.start("viz", REDIS_URL=redis_url, POLLING=polling, MAX_SPECTATORS="2")
    first, _ = [await spectate(viz, alone=True) for _ in range(2)]
    with pytest.raises(Refused):
        await spectate(viz, alone=True)
    await first.leave()
    await asyncio.to_thread(viz.wait_for, lambda health: health["spectators"] < 2, "watched by fewer")
    assert await (await spectate(viz, alone=True)).watch() is None


def _upgrade(port: int) -> socket.socket:
    """Open a WebSocket by hand with a tiny receive buffer, and send the first messages of a Socket.IO client."""
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
    connection.settimeout(10)
    connection.connect(("127.0.0.1", port))
    key = b64encode(b"0123456789abcdef").decode()
    lines = (
        "GET /ws/?EIO=4&transport=websocket HTTP/1.1",
        f"Host: 127.0.0.1:{port}",
        "Connection: Upgrade",
        "Upgrade: websocket",
        "Sec-WebSocket-Version: 13",
        f"Sec-WebSocket-Key: {key}",
    )
    connection.sendall("\r\n".join((*lines, "", "")).encode())
    received = b""
    while b"sid" not in received:
        received += connection.recv(4096)
    for message in ({"type": 0, "nsp": "/"}, {"type": 2, "nsp": "/", "data": ["watch", "", ""]}):
        connection.sendall(_frame(message))
    return connection


# A pong of Engine.IO. Without pongs, the viz would disconnect a client that reads nothing after 20 s.
_PONG = bytes((0x81, 0x81)) + bytes(4) + b"3"


def _frame(message: dict[str, object]) -> bytes:
    body: bytes = msgpack.packb(message)
    # A mask of zeros does not change the payload.
    return bytes((0x82, 0x80 | len(body))) + bytes(4) + body


async def test_a_stalled_spectator_is_dropped_and_delays_no_other(
    sim: Sim, redis_url: str, processes: Processes, spectate: Spectate, polling: str
) -> None:
    viz = processes.start("viz", REDIS_URL=redis_url, POLLING=polling, MAX_BACKLOG="4")
    spectator = await spectate(viz, alone=True)
    await spectator.watch()
    await spectator.world()
    slow = await asyncio.to_thread(_upgrade, viz.port)
    await asyncio.to_thread(viz.wait_for, lambda health: health["spectators"] == 2, "watched by two")
    with slow:
        ticks = 0
        dropped = False
        while not dropped:
            for _ in range(10):
                # Incompressible data fills the buffers of the connection soon.
                notes = [Note(faction="Crimson", text=token_urlsafe(200)) for _ in range(60)]
                await sim.tick(*notes, admin=True)
                ticks += 1
                assert (await spectator.tick()).tick == ticks
            health = await asyncio.to_thread(viz.health)
            dropped = health is not None and health.json()["dropped"] == 1
            if not dropped:
                slow.sendall(_PONG)
            assert ticks < 4_000
    await asyncio.to_thread(viz.wait_for, lambda health: health["spectators"] == 1, "watched by the other alone")
    wait_until(lambda: '"slow spectator disconnected","pending_messages":4' in viz.log.read_text(), "the line")


async def test_a_viz_with_spectators_stops_in_time(viz: Service, spectate: Spectate) -> None:
    await (await spectate(viz)).watch()
    assert await asyncio.to_thread(viz.end) == 0
