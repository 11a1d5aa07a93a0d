"""A spectator: a Socket.IO client that stores messages and decodes them like the page."""

import asyncio
import contextlib
import struct
import zlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import socketio

from sector.models.delta import apply_delta
from sector.models.frame import Frame, decode
from sector.models.rows import event_rows

_HEADER = struct.Struct("<IIdII")
_WITHIN_S = 15


@dataclass(frozen=True, slots=True)
class TickUpdate:
    """A snapshot or a delta, and the events of its tick."""

    frame: Frame
    events: list[dict[str, Any]]
    at_ms: int
    epoch: int

    @property
    def tick(self) -> int:
        tick: int = self.frame.meta["tick"]  # type: ignore[assignment]  # (a frame's meta is any JSON)
        return tick


def inflate(blob: bytes) -> bytes:
    """Return the inflated bytes."""
    return zlib.decompress(blob, wbits=-zlib.MAX_WBITS)


def read_tick_updates(blob: bytes) -> list[TickUpdate]:
    """Return the moments in `blob`."""
    moments = []
    start = 0
    while start < len(blob):
        first, second, at_ms, epoch, _ = _HEADER.unpack_from(blob, start)
        start += _HEADER.size
        frame = decode(blob[start : start + first])
        start += first + -first % 8
        events = event_rows(decode(blob[start : start + second])) if second else []
        start += second + -second % 8
        moments.append(TickUpdate(frame, events, int(at_ms), epoch))
    return moments


class Spectator:
    """Connects, watches, and has the state that a page would have. A `companion` must receive the same messages."""

    def __init__(self) -> None:
        self.client = socketio.AsyncClient(reconnection=False, serializer="msgpack")
        self.messages: asyncio.Queue[tuple[str, Any]] = asyncio.Queue()
        self.companion: Spectator | None = None
        self.map: Frame | None = None
        self.state: Frame | None = None
        for name in ("world", "tick", "worker", "sim_error"):
            self.client.on(name, self._hear(name))

    def _hear(self, name: str) -> Any:  # (a handler as socketio takes it)
        def receive(message: Any) -> None:
            self.messages.put_nowait((name, message))

        return receive

    async def leave(self) -> None:
        """Disconnect. A running poll is cancelled: the viz would answer it with its next ping, up to 10 s later."""
        leaving = asyncio.create_task(self.client.disconnect())
        if self.client.connected and self.client.transport() == "polling":
            # Wait until the message that ends the session is sent.
            await asyncio.sleep(0)
            # If the viz has ended, nothing receives that message.
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.client.eio.queue.join(), _WITHIN_S)
            await self.client.eio.http.close()
        await leaving

    async def watch(self, sim_id: object = "", has_map: object = "") -> str | None:
        """Request to watch a sim; returns the error, or None."""
        refusal: str | None = await self.client.call("watch", (sim_id, has_map), timeout=_WITHIN_S)
        if self.companion is not None:
            assert await self.companion.watch(sim_id, has_map) == refusal
        return refusal

    async def next(self, *names: str) -> Any:
        """Return the next message of one of these names."""
        async with asyncio.timeout(_WITHIN_S):
            while True:
                name, message = await self.messages.get()
                if name in names:
                    if self.companion is not None:
                        assert await self.companion.next(*names) == message
                    return message

    async def world(self) -> dict[str, Any]:
        """Wait for the state; returns the message."""
        message: dict[str, Any] = await self.next("world")
        (moment,) = read_tick_updates(inflate(message["moment"]))
        self.state = moment.frame
        if "map" in message:
            self.map = decode(inflate(message["map"]))
        return message

    async def tick(self) -> TickUpdate:
        """Wait for the next tick, and apply it."""
        (moment,) = read_tick_updates(inflate(await self.next("tick")))
        assert self.state is not None
        self.state = apply_delta(self.state, moment.frame)
        return moment


type Spectate = Callable[..., Awaitable[Spectator]]
"""Connects a spectator to a viz, by a transport."""
