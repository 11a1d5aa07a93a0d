"""The rooms: all who watch, a room a sim. A message is encoded once for everybody in a room, and who falls behind is dropped."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator

import socketio
from engineio.packet import MESSAGE
from engineio.packet import Packet as Sent
from pydantic import JsonValue
from sanic import HTTPResponse, Request
from sanic.http.http1 import Http
from sanic.response import text
from socketio.msgpack_packet import MsgPackPacket
from socketio.packet import EVENT

from sector.process import App
from sector.viz.metrics import DROPPED, REFUSED, TOLD

log = logging.getLogger(__name__)
_theirs = logging.getLogger("sector.viz.socketio")
# Whoever connects can send what is no message: that is not worth a line, let alone a traceback.
_theirs.setLevel(logging.CRITICAL)

type Message = JsonValue | bytes | dict[str, JsonValue | bytes]

_LARGEST_REQUEST = 4096
_PATH = "ws"


class Rooms:
    """Spectators over Socket.IO at `/ws`. With msgpack each message is one frame of the WebSocket, binary or not."""

    def __init__(self, *, most: int, most_behind: int) -> None:
        self._most = most
        self._most_behind = most_behind
        self._server = socketio.AsyncServer(
            async_mode="sanic",
            serializer="msgpack",
            cors_allowed_origins=None,
            max_http_buffer_size=_LARGEST_REQUEST,
            ping_interval=10,
            ping_timeout=10,
            logger=_theirs,
            engineio_logger=_theirs,
        )
        self._closing: set[asyncio.Task[None]] = set()
        self.dropped = 0
        self.refused = 0

    def on(self, name: str, handler: Callable[..., Awaitable[JsonValue]]) -> None:
        """Have `handler` answer what spectators ask by this name: called with who asks, and with what was told."""
        self._server.on(name, handler)

    def attach(self, app: App) -> None:
        """Add the endpoint."""
        # Engine.IO sees who is gone: a second way would cost every connection a task.
        app.config.WEBSOCKET_PING_INTERVAL = None
        self._server.attach(app, socketio_path=_PATH)
        app.on_request(self._admit)

    async def _admit(self, request: Request) -> HTTPResponse | None:
        """Turn away whoever is one too many, before there is a connection."""
        is_new = request.path.strip("/") == _PATH and "sid" not in request.args
        if not is_new or self.spectators < self._most:
            return None
        self.refused += 1
        REFUSED.inc()
        return text(f"{self._most} watch here, as many as may", status=503, headers={"Retry-After": "5"})

    @property
    def spectators(self) -> int:
        """How many are connected."""
        return len(self._server.eio.sockets)

    def members(self, room: str) -> list[tuple[str, str]]:
        """Return who is in a room: the id in Socket.IO, and that of the connection."""
        found: Iterator[tuple[str, str]] = self._server.manager.get_participants("/", room)
        return list(found)

    async def enter(self, spectator: str, room: str) -> None:
        """Put a spectator into one room, and out of any other."""
        for each in self._server.rooms(spectator):
            if each not in (room, spectator):
                await self._server.leave_room(spectator, each)
        await self._server.enter_room(spectator, room)

    def tell(self, room: str, name: str, message: Message) -> None:
        """Send to all in a room, or to one spectator: nobody is waited for."""
        if members := self.members(room):
            packet = encoded(name, message)
            TOLD.inc(len(members))
            for _, connection in members:
                self._send(connection, packet)

    def _send(self, connection: str, packet: Sent) -> None:
        socket = self._server.eio.sockets.get(connection)
        if socket is None or socket.closed or socket.closing:
            return
        if socket.queue.qsize() >= self._most_behind:
            self.dropped += 1
            DROPPED.inc()
            log.warning("a spectator is dropped: %d messages behind", socket.queue.qsize())
            self._drop(connection)
            return
        socket.queue.put_nowait(packet)

    def _drop(self, connection: str) -> None:
        socket = self._server.eio.sockets[connection]
        # What it was not sent is of no use to it: it catches up from a snapshot.
        while not socket.queue.empty():
            socket.queue.get_nowait()
            socket.queue.task_done()
        request: Request | None = self._server.environ.get(connection, {}).get("sanic.request")
        if request is not None and isinstance(request.stream, Http):
            request.stream.protocol.abort()
        closing = asyncio.create_task(socket.close(wait=False, abort=True))
        self._closing.add(closing)
        closing.add_done_callback(self._closing.discard)


def encoded(name: str, message: Message) -> Sent:
    """Return an event as it is sent."""
    return Sent(MESSAGE, MsgPackPacket(EVENT, namespace="/", data=[name, message]).encode())
