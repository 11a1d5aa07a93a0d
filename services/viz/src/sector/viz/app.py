"""The viz of one sim, wired: the page, and Socket.IO at /ws."""

from pathlib import Path

import socketio
from pydantic import JsonValue
from sanic import HTTPResponse, Request
from sanic.response import file as file_response

from sector.process import App, Health, attach, create_app
from sector.state.connect import connect
from sector.state.reader import SimReader
from sector.viz.feed import REDIS, SIM, Feed, Message
from sector.viz.settings import VizSettings

STATIC = Path(__file__).parent / "static"
_ROOM = "watching"
_POLICY = (
    "default-src 'self'; connect-src 'self' ws: wss:; img-src 'self' data:; frame-ancestors 'self'; base-uri 'none'"
)


def create_viz(settings: VizSettings) -> App:
    """Return the app; it serves the page at once, and is ready when Redis and the sim are there."""
    redis = connect(settings.redis_url)
    health = Health("viz", REDIS, SIM)
    watchers = socketio.AsyncServer(async_mode="sanic", cors_allowed_origins=None)

    async def tell(message: Message) -> None:
        name = "snapshot" if "snapshot" in message else "tick"
        await watchers.emit(name, message["snapshot"] if name == "snapshot" else message, room=_ROOM)

    feed = Feed(SimReader(redis, settings.sim_id), health, tell)

    async def details() -> dict[str, JsonValue]:
        return {
            "sim": settings.sim_id,
            "tick": feed.tick,
            "watching": len(list(watchers.manager.get_participants("/", _ROOM))),
        }

    app = create_app(health, details)
    watchers.attach(app, socketio_path="ws")
    _converse(watchers, feed)
    _serve_page(app)
    attach(app, "feed", feed.run)
    app.after_server_stop(lambda _: redis.aclose())
    return app


def _converse(watchers: socketio.AsyncServer, feed: Feed) -> None:
    async def snapshot(sid: str) -> None:
        if (state := feed.snapshot()) is not None:
            await watchers.emit("snapshot", state, to=sid)

    # Into the room first: a tick between the two is then heard, and passed over as known already.
    async def connected(sid: str, _environ: dict[str, object]) -> None:
        await watchers.enter_room(sid, _ROOM)
        await snapshot(sid)

    watchers.on("connect", connected)
    watchers.on("resync", snapshot)


def _serve_page(app: App) -> None:
    @app.get("/")
    async def page(_: Request) -> HTTPResponse:
        return await file_response(STATIC / "index.html")

    app.static("/static", STATIC, name="static")

    async def guard(_: Request, response: HTTPResponse) -> None:
        response.headers.setdefault("Content-Security-Policy", _POLICY)
        response.headers.setdefault("X-Content-Type-Options", "nosniff")
        response.headers.setdefault("Cache-Control", "no-cache")

    app.on_response(guard)
