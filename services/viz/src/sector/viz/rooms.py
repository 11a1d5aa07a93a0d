"""Rooms of spectators, one for each sim. A message is encoded once for a room, and slow spectators are disconnected."""

import asyncio
import base64
import logging
import time
from collections.abc import Awaitable, Callable, Iterator
from http import HTTPStatus
from typing import Any

import socketio
from engineio.packet import MESSAGE
from engineio.packet import Packet as EnginePacket
from pydantic import JsonValue
from sanic import HTTPResponse, Request
from sanic.exceptions import SanicException
from sanic.server.protocols.websocket_protocol import WebSocketProtocol
from socketio.exceptions import ConnectionRefusedError
from socketio.msgpack_packet import MsgPackPacket
from socketio.packet import EVENT

from sector.process import App
from sector.process.connections import AddressOf, abort, address_behind
from sector.process.http_errors import HttpError
from sector.process.problem_documents import problem
from sector.viz.handshakes import Sessions
from sector.viz.metrics import DROPPED, EXPIRED, MALFORMED, MESSAGES, REFUSED, REFUSED_ORIGIN
from sector.viz.origins import is_same_origin

log = logging.getLogger(__name__)

type Message = JsonValue | bytes | dict[str, JsonValue | bytes]

_LARGEST_REQUEST = 4096
_PATH = "ws"
_CLOSE_WITHIN_S = 5.0
_LOG_ORIGINS_EVERY_S = 1.0
_HOST_HEADERS = ("host", "x-forwarded-host", "forwarded")
_OTHER_ORIGIN = "the host of this request is not the host of the page: forward the browser's Host header in the proxy"
_NO_HANDSHAKE = "the WebSocket handshake is invalid"
_REFUSED_BY_ENGINE_IO = "the request neither continues nor starts a session: connect again"


def _quiet_logger() -> logging.Logger:
    """Return a logger for Socket.IO and Engine.IO, which log a traceback for each malformed message of a client.

    It is no child of another logger, so nothing in the process has to be configured for it.
    """
    return logging.Logger("sector.viz.socketio", logging.CRITICAL)


class Rooms:
    """Spectators over Socket.IO at `/ws`. With msgpack each message is one frame of the WebSocket, binary or not.

    `polling`: whether HTTP long-polling is allowed where a WebSocket fails. `max_per_address` 0: no limit.
    """

    def __init__(
        self,
        *,
        max_spectators: int,
        max_backlog: int,
        max_per_address: int = 0,
        polling: bool = False,
        address_of: AddressOf | None = None,
    ) -> None:
        self._max_backlog = max_backlog
        self._address_of = address_of or address_behind(0)
        self._sessions = Sessions(self._expire, max_joined=max_spectators, max_per_address=max_per_address)
        self._server = socketio.AsyncServer(
            async_mode="sanic",
            # The events of a connection are handled one after another.
            async_handlers=False,
            serializer="msgpack",
            transports=["websocket", "polling"] if polling else ["websocket"],
            # `_handle` compares origins: Engine.IO depends on how a proxy spells the scheme.
            cors_allowed_origins=[],
            max_http_buffer_size=_LARGEST_REQUEST,
            ping_interval=10,
            ping_timeout=10,
            logger=_quiet_logger(),
            engineio_logger=_quiet_logger(),
        )
        self._server.on("connect", self._join)
        self._connections: dict[str, WebSocketProtocol] = {}
        """The WebSocket of each session that has one."""
        self._on_connect = self._server.eio.handlers["connect"]
        self._on_disconnect = self._server.eio.handlers["disconnect"]
        self._server.eio.on("connect", self._begin)
        self._server.eio.on("disconnect", self._end)
        self._closing: set[asyncio.Task[None]] = set()
        self._log_origins_from_s = 0.0
        self.dropped = 0
        self.refused = 0
        self.origins_refused = 0

    def on(self, name: str, handler: Callable[..., Awaitable[JsonValue]]) -> None:
        """Register the handler of an event from spectators. It is called with the id of the spectator and the arguments of the event."""
        self._server.on(name, handler)

    def attach(self, app: App) -> None:
        """Add the endpoint."""
        # Engine.IO detects closed connections: a second heartbeat would cost a task for each connection.
        app.config.WEBSOCKET_PING_INTERVAL = None
        # Larger frames are refused before they are in memory.
        app.config.WEBSOCKET_MAX_SIZE = _LARGEST_REQUEST
        app.enable_websocket()
        app.add_route(self._handle, f"/{_PATH}/", methods=("GET", "POST", "OPTIONS"))

    async def _handle(self, request: Request) -> HTTPResponse:
        """Handle a request of Engine.IO, or a WebSocket until it ends. Refuses a handshake if there are too many."""
        if (origin := request.headers.get("origin")) is not None and not is_same_origin(origin, request.headers):
            return self._refuse_origin(request, origin)
        session_id = request.args.get("sid")
        upgrades = request.headers.get("upgrade", "").lower() == "websocket"
        if upgrades and "upgrade" not in ",".join(request.headers.getall("connection", ())).lower():
            # Otherwise Engine.IO would start a session that has no connection.
            raise HttpError(HTTPStatus.BAD_REQUEST, _NO_HANDSHAKE)
        if session_id is None:
            if refusal := self._sessions.refusal(self._address_of(request), polls=not upgrades):
                self.refused += 1
                REFUSED.inc()
                return problem(HTTPStatus.SERVICE_UNAVAILABLE, refusal, {"Retry-After": "5"})
        elif upgrades and session_id in self._server.eio.sockets:
            self._note_connection(session_id, request)
        try:
            response: HTTPResponse = await self._server.handle_request(request)
        except SanicException as error:
            # An error of the WebSocket. Sanic would log it with a traceback, and its text quotes the request.
            raise HttpError(HTTPStatus.BAD_REQUEST, _NO_HANDSHAKE) from error
        except (ValueError, TypeError, KeyError, RecursionError) as error:
            # Engine.IO raises these for malformed messages of clients.
            return self._end_malformed(request, error)
        # The texts of Engine.IO quote the request.
        return response if response.status < HTTPStatus.BAD_REQUEST else problem(response.status, _REFUSED_BY_ENGINE_IO)

    def refusal(self, request: Request, origin: str) -> str:
        """Return why a page of this origin could not connect now, from the address of this request; empty if it could."""
        if origin and not is_same_origin(origin, request.headers):
            return _OTHER_ORIGIN
        return self._sessions.refusal(self._address_of(request), polls=False)

    def _refuse_origin(self, request: Request, origin: str) -> HTTPResponse:
        self.origins_refused += 1
        REFUSED_ORIGIN.inc()
        now_s = time.monotonic()
        if now_s >= self._log_origins_from_s:
            self._log_origins_from_s = now_s + _LOG_ORIGINS_EVERY_S
            hosts = {name: request.headers[name][:200] for name in _HOST_HEADERS if name in request.headers}
            extra = {
                "address": self._address_of(request),
                "origin": origin[:200],
                "hosts": hosts,
                "action": "forward the Host header of the browser in the proxy",
            }
            log.warning("spectator of another origin rejected", extra=extra)
        return problem(HTTPStatus.BAD_REQUEST, _OTHER_ORIGIN)

    def _end_malformed(self, request: Request, error: Exception) -> HTTPResponse:
        MALFORMED.inc()
        extra = {"address": self._address_of(request), "error": type(error).__name__}
        log.info("spectator disconnected after malformed message", extra=extra)
        session_id = getattr(request.ctx, "session_id", None) or request.args.get("sid")
        if session_id in self._server.eio.sockets:
            self._close(session_id)
        return problem(HTTPStatus.BAD_REQUEST, "a message is malformed, so this session was closed: connect again")

    async def _begin(self, session_id: str, environ: dict[str, Any]) -> None:
        """Add a handshake: Engine.IO has created its session."""
        request: Request = environ["sanic.request"]
        request.ctx.session_id = session_id
        self._sessions.begin(session_id, self._address_of(request))
        if request.headers.get("upgrade", "").lower() == "websocket":
            self._note_connection(session_id, request)
        await self._on_connect(session_id, environ)

    def _note_connection(self, session_id: str, request: Request) -> None:
        connection = request.transport.get_protocol()
        if isinstance(connection, WebSocketProtocol):
            self._connections[session_id] = connection

    async def _join(self, spectator: str, *_: object) -> bool:
        """Count a spectator whose CONNECT of Socket.IO arrived, or refuse it."""
        if self._sessions.join(self._server.manager.eio_sid_from_sid(spectator, "/")):
            return True
        self.refused += 1
        REFUSED.inc()
        raise ConnectionRefusedError("the limit of spectators is reached: try again later")

    async def _end(self, session_id: str, reason: str) -> None:
        """Remove a session, and close its connection, which a client that reads nothing would keep open."""
        self._sessions.end(session_id)
        if (connection := self._connections.pop(session_id, None)) is not None:
            asyncio.get_running_loop().call_later(_CLOSE_WITHIN_S, abort, connection)
        await self._on_disconnect(session_id, reason)

    def _expire(self, session_id: str) -> None:
        EXPIRED.inc()
        if session_id in self._server.eio.sockets:
            self._close(session_id)

    @property
    def spectators(self) -> int:
        """The number of connected spectators."""
        return self._sessions.joined

    @property
    def handshakes(self) -> int:
        """The number of sessions that have started and not joined yet."""
        return self._sessions.pending

    def members(self, room: str) -> list[tuple[str, str]]:
        """Return the members of a room: the id of each in Socket.IO, and that of its connection."""
        participants: Iterator[tuple[str, str]] = self._server.manager.get_participants("/", room)
        return list(participants)

    async def enter(self, spectator: str, room: str) -> None:
        """Move a spectator to a room, out of any other."""
        for each in self._server.rooms(spectator):
            if each not in (room, spectator):
                await self._server.leave_room(spectator, each)
        await self._server.enter_room(spectator, room)

    def broadcast(self, room: str, name: str, message: Message) -> None:
        """Queue a message for all members of a room, or for one spectator, without waiting for any of them."""
        if members := self.members(room):
            packet = encode_event(name, message)
            MESSAGES.inc(len(members))
            for _, connection in members:
                self._send(connection, packet)

    def _send(self, connection: str, packet: EnginePacket) -> None:
        socket = self._server.eio.sockets.get(connection)
        if socket is None or socket.closed or socket.closing:
            return
        if socket.queue.qsize() >= self._max_backlog:
            self.dropped += 1
            DROPPED.inc()
            log.warning("slow spectator disconnected", extra={"pending_messages": socket.queue.qsize()})
            self._close(connection)
            return
        socket.queue.put_nowait(packet)

    def _close(self, session_id: str) -> None:
        """Close a session and its connection at once."""
        # Removed here, because Engine.IO itself would keep the session until its next check.
        socket = self._server.eio.sockets.pop(session_id)
        # A spectator that reconnects gets a snapshot instead of the messages that were not sent.
        while not socket.queue.empty():
            socket.queue.get_nowait()
            socket.queue.task_done()
        if (connection := self._connections.get(session_id)) is not None:
            abort(connection)
        # This ends the writer of the socket.
        socket.queue.put_nowait(None)
        closing = asyncio.create_task(socket.close(wait=False, abort=True))
        self._closing.add(closing)
        closing.add_done_callback(self._closing.discard)


class BroadcastPacket(EnginePacket):  # type: ignore[misc]  # (Engine.IO has no types)
    """A message to a room. It is encoded once for all WebSockets, and once for all polling clients.

    Engine.IO's own packet keeps its first encoding. If that is binary, a poll that gets it fails.
    """

    def __init__(self, body: bytes) -> None:
        super().__init__(MESSAGE, body)
        self._body = body
        self._as_text: str | None = None

    def encode(self, b64: bool = False) -> str | bytes:
        """Return the packet as bytes for a WebSocket, or with `b64` as text for a poll."""
        if not b64:
            return self._body
        if self._as_text is None:
            self._as_text = "b" + base64.b64encode(self._body).decode()
        return self._as_text


def encode_event(name: str, message: Message) -> EnginePacket:
    """Return the packet of an event."""
    return BroadcastPacket(MsgPackPacket(EVENT, namespace="/", data=[name, message]).encode())
