"""Handshakes do not count as spectators, expire, and are limited for each address. Malformed frames."""

import asyncio
import re
import socket
from base64 import b64encode
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import httpx
import msgpack
import pytest
from socketio.exceptions import ConnectionError as Refused
from spectator import Spectate

from fixtures.processes import Processes, Service
from fixtures.sim import Sim
from sector.viz import handshakes
from sector.viz.handshakes import Sessions

pytest_plugins = ("spectating",)

_HANDSHAKE = "/ws/?EIO=4&transport=polling"

by_websocket = pytest.mark.parametrize("transports", [("websocket",)], ids=["websocket"])
"""For tests that send the bytes of a WebSocket without a library."""


def upgrade(viz: Service, source: str = "127.0.0.1") -> socket.socket:
    """Open a WebSocket, and send nothing."""
    client = socket.create_connection(("127.0.0.1", viz.port), timeout=60, source_address=(source, 0))
    lines = (
        "GET /ws/?EIO=4&transport=websocket HTTP/1.1",
        "Host: a",
        "Connection: Upgrade",
        "Upgrade: websocket",
        "Sec-WebSocket-Version: 13",
        f"Sec-WebSocket-Key: {b64encode(b'0123456789abcdef').decode()}",
    )
    client.sendall("\r\n".join((*lines, "", "")).encode())
    answer = b""
    while b"sid" not in answer:
        chunk = client.recv(4096)
        assert chunk, answer
        answer += chunk
    return client


def frame(opcode: int, body: bytes) -> bytes:
    """Return a frame, masked with zeros."""
    return bytes((0x80 | opcode, 0x80 | len(body))) + bytes(4) + body


def rest(client: socket.socket) -> bytes:
    """Read until the connection is closed."""
    received = b""
    try:
        while chunk := client.recv(4096):
            received += chunk
    except ConnectionError:
        pass
    return received


@pytest.mark.parametrize("transports", [("polling", "websocket")], ids=["polling first"])
async def test_polling_is_off_by_default(sim: Sim, redis_url: str, processes: Processes, spectate: Spectate) -> None:
    assert sim.lease.epoch == 1
    viz = processes.start("viz", REDIS_URL=redis_url)
    with httpx.Client(base_url=viz.url) as http:
        assert {http.get(_HANDSHAKE).status_code for _ in range(20)} == {400}
    with pytest.raises(Refused):
        await spectate(viz, alone=True)
    assert await (await spectate(viz, alone=True)).watch() is None


# A spectator that polls is refused while its address has the maximum number of handshakes.
@by_websocket
async def test_polling_handshakes_do_not_count_as_spectators(
    sim: Sim, redis_url: str, processes: Processes, spectate: Spectate
) -> None:
    assert sim.lease.epoch == 1
    viz = processes.start("viz", REDIS_URL=redis_url, POLLING="true", MAX_SPECTATORS="3")

    def shake_hands() -> list[int]:
        """In one go: with a round trip for each, the first could expire before the last."""
        with socket.create_connection(("127.0.0.1", viz.port), timeout=60) as client:
            for _ in range(1_000):
                client.sendall(f"GET {_HANDSHAKE} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
            client.shutdown(socket.SHUT_WR)
            return [int(status) for status in re.findall(rb"HTTP/1.1 (\d+) ", rest(client))]

    answers = await asyncio.to_thread(shake_hands)
    assert set(answers) == {200, 503}
    health = await asyncio.to_thread(viz.wait_for, lambda _: True, "healthy")
    assert health["spectators"] == 0
    assert 0 < health["handshakes"] <= handshakes.MAX_PENDING_PER_ADDRESS
    for _ in range(3):
        assert await (await spectate(viz, alone=True)).watch() is None
    await asyncio.to_thread(viz.wait_for, lambda health: health["handshakes"] == 0, "without handshakes")


@by_websocket
async def test_a_silent_websocket_is_closed_and_not_counted(viz: Service, spectate: Spectate) -> None:
    with ExitStack() as held:
        silent = [held.enter_context(await asyncio.to_thread(upgrade, viz)) for _ in range(5)]
        await asyncio.to_thread(viz.wait_for, lambda health: health["handshakes"] == 5, "asked for five handshakes")
        assert await (await spectate(viz, alone=True)).watch() is None
        for client in silent:
            await asyncio.to_thread(rest, client)
    await asyncio.to_thread(viz.wait_for, lambda health: health["handshakes"] == 0, "without handshakes")
    response = await asyncio.to_thread(viz.health)
    assert response is not None
    assert response.json()["spectators"] == 1


async def test_spectators_are_limited_per_address(
    sim: Sim, redis_url: str, processes: Processes, spectate: Spectate, polling: str
) -> None:
    assert sim.lease.epoch == 1
    viz = processes.start("viz", REDIS_URL=redis_url, POLLING=polling, MAX_SPECTATORS_PER_ADDRESS="2")
    first, _ = [await spectate(viz, alone=True) for _ in range(2)]
    with pytest.raises(Refused):
        await spectate(viz, alone=True)
    with await asyncio.to_thread(upgrade, viz, "127.0.0.7") as other:
        other.sendall(frame(2, msgpack.packb({"type": 0, "nsp": "/"})))
        await asyncio.to_thread(viz.wait_for, lambda health: health["spectators"] == 3, "watched by three")
    await first.leave()
    await asyncio.to_thread(viz.wait_for, lambda health: health["spectators"] == 1, "watched by one")
    assert await (await spectate(viz, alone=True)).watch() is None


async def test_behind_a_proxy_the_forwarded_address_counts(sim: Sim, redis_url: str, processes: Processes) -> None:
    assert sim.lease.epoch == 1
    viz = processes.start("viz", REDIS_URL=redis_url, POLLING="true", PROXIES="1")

    def shake_hands() -> list[int]:
        with httpx.Client(base_url=viz.url) as http:
            return [
                http.get(_HANDSHAKE, headers={"X-Forwarded-For": f"10.0.0.{n % 2}"}).status_code for n in range(300)
            ]

    assert set(await asyncio.to_thread(shake_hands)) == {200}


MALFORMED = [
    frame(1, b"b!!!!"),
    frame(1, b"bA"),
    frame(1, b""),
    frame(1, b"x"),
    frame(1, b"4" + b"[" * 120),
    frame(1, b"\xff\xfe"),
    frame(1, b"9"),
    frame(11, b""),
    frame(0, b"a"),
    b"\x81\x05hello",
    frame(2, msgpack.packb({"type": 0, "nsp": "/"})) + frame(2, msgpack.packb({"type": 2, "nsp": "/", "data": [[1]]})),
    frame(2, msgpack.packb({"type": 0, "nsp": "/"}))
    + frame(2, msgpack.packb({"type": 2, "nsp": "/", "data": ["connect"]})),
    frame(2, msgpack.packb({"type": 5, "nsp": "/", "data": ["watch"]})) + frame(1, b"b!!"),
    frame(8, b"\x03"),
]


def lines_logged(viz: Service, frames: bytes) -> list[str]:
    """Send frames and a close frame, and wait until the viz closes the connection; returns the new lines of its log."""
    with upgrade(viz) as client:
        logged = len(viz.log.read_text().splitlines())
        client.sendall(frames + frame(8, b"\x03\xe8"))
        rest(client)
    viz.wait_for(lambda health: health["handshakes"] + health["spectators"] == 0, "left by all")
    # A thread writes the log, so lines of the start may come late.
    return [line for line in viz.log.read_text().splitlines()[logged:] if "condition ok" not in line]


@by_websocket
async def test_a_malformed_frame_logs_at_most_one_line(
    sim: Sim, redis_url: str, processes: Processes, spectate: Spectate
) -> None:
    assert sim.lease.epoch == 1
    vizes = [processes.start("viz", wait=False, REDIS_URL=redis_url) for _ in MALFORMED]
    for viz in vizes:
        await asyncio.to_thread(viz.wait_until, ready=True)
    with ThreadPoolExecutor(len(vizes)) as threads:
        logged = await asyncio.gather(
            *(asyncio.wrap_future(threads.submit(lines_logged, *case)) for case in zip(vizes, MALFORMED, strict=True))
        )
    for viz, frames, lines in zip(vizes, MALFORMED, logged, strict=True):
        assert len(lines) <= 1, (frames, lines)
        assert "Traceback" not in "".join(lines), frames
        assert await (await spectate(viz)).watch() is None, frames


@by_websocket
@pytest.mark.parametrize("host", ["[", "a]b", "[::1"])
def test_an_invalid_host_is_a_400(viz: Service, host: str) -> None:
    with socket.create_connection(("127.0.0.1", viz.port), timeout=60) as client:
        client.sendall(f"GET {_HANDSHAKE} HTTP/1.1\r\nhost: {host}\r\n\r\n".encode())
        assert client.recv(4096).startswith(b"HTTP/1.1 400 ")
    assert "Traceback" not in viz.log.read_text()


async def test_too_many_handshakes_end_the_oldest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handshakes, "MAX_PENDING", 4)
    monkeypatch.setattr(handshakes, "MAX_PENDING_PER_ADDRESS", 2)
    ended: list[str] = []
    sessions = Sessions(ended.append, max_joined=3, max_per_address=2)
    for number, address in enumerate(("a", "a", "a", "b", "c", "d")):
        sessions.begin(str(number), address)
    assert ended == ["0", "1"]
    assert sessions.refusal("e", polls=True) == ""
    assert (sessions.join("0"), sessions.join("2"), sessions.join("2")) == (False, True, True)
    assert (sessions.joined, sessions.pending) == (1, 3)
    for number in range(6):
        sessions.end(str(number))
    assert (sessions.joined, sessions.pending) == (0, 0)
    assert (sessions._pending_of, sessions._joined_of, sessions._sessions) == ({}, {}, {})
