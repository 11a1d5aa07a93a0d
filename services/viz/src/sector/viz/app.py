"""The application of the viz: the page, the history over HTTP, and Socket.IO at /ws."""

import asyncio

from pydantic import JsonValue

from sector.process import App, Health, attach, create_app, sample, wait_for_stop
from sector.process.connections import address_behind
from sector.process.request_limits import RequestLimits
from sector.process.request_metrics import observe_response
from sector.process.tracing import Traces
from sector.state.log.rate_usage import SharedSpending
from sector.state.redis.client import connect
from sector.state.redis.health import RedisHealth, probe_disk
from sector.state.watch.sim_watcher import REDIS, SIM
from sector.viz.broadcaster_registry import BroadcasterRegistry, SpectatorRequests
from sector.viz.connection_check import ConnectionCheck
from sector.viz.history_api import HistoryApi
from sector.viz.metrics import SIMS, SPECTATORS, TICK
from sector.viz.page_server import PageServer
from sector.viz.rooms import Rooms
from sector.viz.settings import VizSettings

_LARGEST_BODY = 65_536
_LOOK_S = 1.0


def create_viz(settings: VizSettings) -> App:
    """Return the app. It serves the page at once, and is ready once Redis and the sim can be read."""
    redis = connect(settings.redis_url)
    health = Health("viz", REDIS, SIM)
    rooms = Rooms(
        max_spectators=settings.max_spectators,
        max_backlog=settings.max_backlog,
        max_per_address=settings.max_spectators_per_address,
        polling=settings.polling,
        address_of=address_behind(settings.proxies),
    )
    traces = Traces.from_settings(settings, "sector-viz")
    redis_health = RedisHealth(redis, settings.sim_id, probe_disk, health.update, settings.redis_url.where)
    registry = BroadcasterRegistry(redis, settings.sim_id, rooms, traces, redis_health.report)

    async def details() -> dict[str, JsonValue]:
        view = registry.own.view if registry.own else None
        return {
            "sim": settings.sim_id,
            "tick": view.head.tick if view else None,
            "spectators": rooms.spectators,
            "handshakes": rooms.handshakes,
            "dropped": rooms.dropped,
            "refused": rooms.refused,
            "origins_refused": rooms.origins_refused,
        }

    promised = ("MAX_SPECTATORS", settings.max_spectators)
    app = create_app(health, details, operator_port=settings.operator_port, promised=promised)
    app.config.REQUEST_MAX_SIZE = _LARGEST_BODY
    app.config.PROXIES_COUNT = settings.proxies or None
    page = PageServer(settings.sim_id, settings.api_url, polling=settings.polling)
    page.serve(app)
    ConnectionCheck(rooms, page.version).serve(app)
    limits = RequestLimits(
        SharedSpending(redis, settings.sim_id, "viz:"), per_token=0, per_address=settings.requests_per_address
    )
    HistoryApi(redis, limits).serve(app)
    SpectatorRequests(registry, rooms)
    rooms.attach(app)
    attach(app, "broadcasters", registry.run)
    attach(app, "request limits", limits.run)
    attach(app, "disk of Redis", lambda stop: _check_disk(stop, redis_health))
    app.on_response(observe_response)
    sample(app, lambda: _sample(registry, rooms))
    app.after_server_stop(lambda _: redis.aclose())
    app.after_server_stop(lambda _: traces.close())
    return app


def _sample(registry: BroadcasterRegistry, rooms: Rooms) -> None:
    SPECTATORS.set(rooms.spectators)
    SIMS.set(len(registry))
    if registry.own is not None and registry.own.view is not None:
        TICK.set(registry.own.view.head.tick)


async def _check_disk(stop: asyncio.Event, redis_health: RedisHealth) -> None:
    while not await wait_for_stop(stop, _LOOK_S):
        await redis_health.check()
