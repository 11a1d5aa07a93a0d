"""Thousands of spectators in one process, which record when each tick arrives.

`python -m bench.spectators URL COUNT PROTOCOL` prints `ready` when all of them watch, and their records when its input ends.
"""

import asyncio
import json
import resource
import sys
import time
from typing import Literal, cast
from urllib.parse import urlsplit

import msgpack
import uvloop

type Protocol = Literal["viz", "bare"]

_AT_ONCE = 100
_READY_WITHIN_S = 60
_HEAD = (
    b"GET /ws/?EIO=4&transport=websocket HTTP/1.1\r\nHost: bench\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n\r\n"
)
_TEXT, _BINARY, _PING, _PONG = 1, 2, 9, 10
_TICK, _WORLD = b"\xa4tick", b"\xa5world"
_NAMED_WITHIN = 32
"""The name of an event is within this number of bytes of a message."""


def _masked(kind: int, body: bytes) -> bytes:
    """Return a client frame. A mask of zeros does not change the payload."""
    return bytes((0x80 | kind, 0x80 | len(body))) + bytes(4) + body


_CONNECT = {"viz": _masked(_BINARY, msgpack.packb({"type": 0, "nsp": "/"})), "bare": _masked(_TEXT, b"40")}
_WATCH = _masked(_BINARY, msgpack.packb({"type": 2, "nsp": "/", "data": ["watch", "", ""]}))
_BEAT = _masked(_TEXT, b"3")


class Spectator(asyncio.Protocol):
    """One connection. `arrivals` has the time of each tick in seconds since 1970, `size` the bytes as sent."""

    def __init__(self, protocol: Protocol) -> None:
        self._protocol: Protocol = protocol
        self._buffer = bytearray()
        self._upgraded = False
        self._transport: asyncio.WriteTransport | None = None
        self.watching = asyncio.get_running_loop().create_future()
        self.arrivals: list[float] = []
        self.size = 0
        self.lost = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Request a WebSocket."""
        # The transports of uvloop are not of the class of asyncio.
        self._transport = cast(asyncio.WriteTransport, transport)
        self._transport.write(_HEAD)

    def connection_lost(self, exc: Exception | None) -> None:
        """Record the end of the connection."""
        self.lost = True
        if not self.watching.done():
            self.watching.set_exception(ConnectionError(str(exc)))

    def data_received(self, data: bytes) -> None:
        """Read complete frames."""
        self._buffer += data
        if not self._upgraded:
            end = self._buffer.find(b"\r\n\r\n")
            if end < 0:
                return
            del self._buffer[: end + 4]
            self._upgraded = True
        while (size := self._next_frame()) is not None:
            head, length = size
            kind, body = self._buffer[0] & 15, bytes(self._buffer[head : head + length])
            del self._buffer[: head + length]
            self._take(kind, body, head + length)

    def _next_frame(self) -> tuple[int, int] | None:
        """Return the lengths of the header and the body of the next frame, once it is complete."""
        if len(self._buffer) < 2:
            return None
        length, head = self._buffer[1] & 127, 2
        if length > 125:
            head = 4 if length == 126 else 10
            length = int.from_bytes(self._buffer[2:head], "big")
        return (head, length) if len(self._buffer) >= head + length else None

    def _take(self, kind: int, body: bytes, size: int) -> None:
        assert self._transport is not None
        if kind == _PING:
            self._transport.write(_masked(_PONG, body))
        elif kind == _TEXT and body == b"2":
            self._transport.write(_BEAT)
        elif kind == _TEXT and body[:1] == b"0":
            self._transport.write(_CONNECT[self._protocol])
        elif self._protocol == "bare":
            self._take_bare(kind, body, size)
        elif kind == _BINARY:
            name = body[:_NAMED_WITHIN]
            if _TICK in name:
                self._note(size)
            elif _WORLD in name:
                self._watches()
            elif not self.watching.done():
                self._transport.write(_WATCH)

    def _take_bare(self, kind: int, body: bytes, size: int) -> None:
        if body[:2] == b"40":
            self._watches()
        elif kind == _BINARY:
            self._note(size)
        else:
            self.size += size

    def _watches(self) -> None:
        if not self.watching.done():
            self.watching.set_result(None)

    def _note(self, size: int) -> None:
        self.arrivals.append(time.time())
        self.size += size


async def main(url: str, count: int, protocol: Protocol) -> None:
    """Watch until standard input ends."""
    host, port = str(urlsplit(url).hostname), int(urlsplit(url).port or 80)
    loop = asyncio.get_running_loop()
    spectators: list[Spectator] = []
    async with asyncio.timeout(_READY_WITHIN_S):
        while len(spectators) < count:
            wanted = min(_AT_ONCE, count - len(spectators))
            connections = await asyncio.gather(
                *(loop.create_connection(lambda: Spectator(protocol), host, port) for _ in range(wanted))
            )
            spectators += [spectator for _, spectator in connections]
            await asyncio.gather(*(spectator.watching for _, spectator in connections))
    print("ready", flush=True)
    while command := (await asyncio.to_thread(sys.stdin.readline)).strip():
        if command == "tell":
            print(json.dumps(_report(spectators)), flush=True)


def _report(spectators: list[Spectator]) -> dict[str, object]:
    report = {
        "arrivals": [spectator.arrivals for spectator in spectators],
        "bytes": sum(spectator.size for spectator in spectators),
        "lost": sum(spectator.lost for spectator in spectators),
    }
    for spectator in spectators:
        spectator.arrivals, spectator.size = [], 0
    return report


if __name__ == "__main__":
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    uvloop.run(main(sys.argv[1], int(sys.argv[2]), "bare" if sys.argv[3] == "bare" else "viz"))
