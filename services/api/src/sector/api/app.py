"""The API, wired."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial

from pydantic import JsonValue
from redis.exceptions import RedisError
from sanic import Request

from sector.api import docs_page, error_handlers, events, order_status, snapshot
from sector.api.access_log import AccessLog
from sector.api.authentication import Authenticator
from sector.api.cors import Cors
from sector.api.event_stream import EventStreams
from sector.api.keyring import KeyRing
from sector.api.metrics import SIMS, STREAMS, TICK, watch_waiting
from sector.api.openapi import OpenApi
from sector.api.order_rate_limit import OrderRates
from sector.api.orders import OrdersEndpoint
from sector.api.request_throttle import RequestThrottle
from sector.api.response_finalizer import ResponseFinalizer
from sector.api.responses import Response
from sector.api.router import Router
from sector.api.settings import ApiSettings
from sector.api.sim_registry import SimRegistry
from sector.api.sims import SimsEndpoint
from sector.process import App, Health, attach, create_app, sample, wait_for_stop
from sector.process.connections import address_behind
from sector.process.logs import is_json
from sector.process.request_limits import RequestLimits
from sector.process.tracing import Traces
from sector.state.errors import NotDurable
from sector.state.log.rate_usage import SharedSpending
from sector.state.redis.client import Client, connect
from sector.state.redis.durability import PROMISES
from sector.state.redis.error_messages import describe
from sector.state.redis.health import RedisHealth, probe_writes
from sector.state.watch.sim_watcher import REDIS, SIM

DURABILITY = "durability"
KEYS = "keys"
_LOOK_S = 1.0

type OfSim = Callable[..., Awaitable[Response | None]]
"""Called with the request, the sim, and what else the path names."""


def create_api(settings: ApiSettings) -> App:
    """Return the app; it serves at once, and is ready when Redis and the sim are there."""
    redis = connect(settings.redis_url, timeout_s=settings.redis_timeout_s)
    health = Health("api", REDIS, SIM, DURABILITY)
    redis_health = RedisHealth(redis, settings.sim_id, probe_writes, health.update, settings.redis_url.where)
    served = SimRegistry(redis, settings.sim_id, settings.durability, settings.most_waiting_orders, redis_health.report)
    ring = settings.key_ring
    authority = Authenticator(ring, settings.auth_audience)
    address = address_behind(settings.proxies)
    access_log = AccessLog(settings.access_log, address, authority.subject, as_json=is_json(settings.log_format))
    limits = RequestLimits(
        SharedSpending(redis, settings.sim_id, "requests "),
        per_token=settings.requests_per_token,
        per_address=settings.requests_per_address,
    )
    throttle = RequestThrottle(limits, address, authority.subject)
    finalizer = ResponseFinalizer(access_log, Cors(settings.cors_origins))
    traces = Traces.from_settings(settings, "sector-api")
    orders = OrdersEndpoint(
        authority, OrderRates(settings.rate_per_token, settings.rate_per_address), address, throttle, traces
    )
    streams = EventStreams(
        finalizer,
        throttle,
        traces,
        most=settings.most_streams,
        heartbeat_s=settings.heartbeat_s,
        retry_timeout_s=settings.reader_timeout_s,
    )

    async def details() -> dict[str, JsonValue]:
        view = served.own.bodies.view if served.own and served.own.bodies else None
        known: dict[str, JsonValue] = (
            {"tick": view.head.tick, "status": view.head.status, "at_ms": view.head.at_ms} if view else {}
        )
        kind = settings.order_durability
        return {
            "sim": settings.sim_id,
            "auth": "open" if authority.open else "tokens",
            **authority.keys,
            "orders_accepted": orders.accepted,
            "streams": streams.open,
            "streams_dropped": streams.dropped,
            "durability": kind,
            "promise": PROMISES[kind],
            **known,
        }

    app = create_app(
        health,
        details,
        finalizer.headers_of,
        operator_port=settings.operator_port,
        sender_timeout_s=settings.sender_timeout_s,
        promised=("MOST_STREAMS", settings.most_streams),
    )
    app.config.REQUEST_MAX_SIZE = settings.max_body_bytes
    app.config.PROXIES_COUNT = settings.proxies or None
    error_handlers.install(app, finalizer)
    sample(app, lambda: _sample(served, streams))
    _route(
        Router(app, finalizer, throttle),
        served,
        orders,
        streams,
        SimsEndpoint(redis, authority, settings.max_sims),
        throttle,
        tokens=not authority.open,
    )
    attach(app, "sims", served.run)
    attach(app, "streams", streams.run)
    attach(app, "request limits", limits.run)
    attach(app, "waiting orders", lambda stop: watch_waiting(stop, redis, settings.sim_id))
    attach(app, "durability", lambda stop: _probe(stop, redis, settings, health))
    attach(app, "writes", lambda stop: _check_writes(stop, redis_health))
    if ring is not None:
        attach(app, "keys", lambda stop: _watch_keys(stop, ring, health))
        # Once logs are configured.
        app.before_server_start(lambda _: ring.report())
    app.after_server_stop(lambda _: redis.aclose())
    app.after_server_stop(lambda _: traces.close())
    return app


def _route(
    router: Router,
    served: SimRegistry,
    orders: OrdersEndpoint,
    streams: EventStreams,
    sims: SimsEndpoint,
    throttle: RequestThrottle,
    *,
    tokens: bool,
) -> None:
    def of_sim(method: str, path: str, handler: OfSim) -> None:
        """Answer for the own sim at `path`, and for any at `/sims/{id}` before it."""

        def own(request: Request, **named: str) -> Awaitable[Response | None]:
            return any_sim(request, served.own_id, **named)

        def any_sim(request: Request, sim_id: str, **named: str) -> Awaitable[Response | None]:
            sim = served.known(sim_id)
            return later(request, sim_id, **named) if sim is None else handler(request, sim, **named)

        async def later(request: Request, sim_id: str, **named: str) -> Response | None:
            return await handler(request, await served.sim(sim_id), **named)

        router.add(method, path, own)
        router.add(method, f"/sims/<sim_id>{path}", any_sim)

    of_sim("GET", "/snapshot", partial(snapshot.get_snapshot, throttle))
    of_sim("GET", "/map", snapshot.get_map)
    of_sim("GET", "/events", partial(events.get_events, throttle))
    of_sim("GET", "/events/stream", streams.get)
    of_sim("POST", "/orders", orders.post)
    of_sim("GET", "/orders/<order_id>", order_status.get_order)
    of_sim("POST", "/fork", sims.fork)
    router.add("GET", "/sims", sims.get_all)
    router.add("POST", "/sims", sims.post)
    router.add("GET", "/sims/<sim_id>", sims.get_one)
    router.add("GET", "/openapi.json", OpenApi(tokens=tokens).get)
    router.add("GET", "/docs", docs_page.get_docs)
    router.add("GET", "/docs/<name>", docs_page.get_part)


def _sample(served: SimRegistry, streams: EventStreams) -> None:
    STREAMS.set(streams.open)
    SIMS.set(len(served))
    if served.own is not None and served.own.bodies is not None:
        TICK.set(served.own.bodies.view.head.tick)


async def _check_writes(stop: asyncio.Event, redis_health: RedisHealth) -> None:
    while not await wait_for_stop(stop, _LOOK_S):
        await redis_health.check()


async def _watch_keys(stop: asyncio.Event, ring: KeyRing, health: Health) -> None:
    """Look at the file of keys, and say in /health what is wrong with it. The API is ready all the same: most requests need no token."""
    while ring.reads_file and not stop.is_set():
        await ring.refresh()
        if ring.fault:
            health.set_error(KEYS, ring.fault, blocks=False)
        else:
            health.set_ok(KEYS)
        await wait_for_stop(stop, _LOOK_S)


async def _probe(stop: asyncio.Event, redis: Client, settings: ApiSettings, health: Health) -> None:
    """See whether Redis can confirm what is asked of it; what else is wrong with it, the sim's follower tells."""
    while not stop.is_set():
        try:
            await settings.durability.probe(redis, settings.sim_id)
            health.set_ok(DURABILITY)
        except NotDurable as error:
            health.set_error(DURABILITY, str(error), cause=str(error.__cause__ or ""))
        except RedisError as error:
            health.set_error(DURABILITY, describe(error), cause=f"{type(error).__name__}: {error}")
        await wait_for_stop(stop, _LOOK_S)
