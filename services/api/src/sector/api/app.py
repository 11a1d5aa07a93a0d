"""Wiring of the API: its components, routes, background work and health details."""

from pydantic import JsonValue

from sector.api import error_handlers
from sector.api.access_log import AccessLog
from sector.api.authentication import Authenticator
from sector.api.condition_checks import DURABILITY, check_durability, check_keys, check_writes
from sector.api.cors import Cors
from sector.api.event_stream import EventStreams
from sector.api.metrics import SIMS, STREAMS, TICK, watch_pending
from sector.api.order_rate_limit import OrderRates
from sector.api.orders import OrdersEndpoint
from sector.api.request_throttle import RequestThrottle
from sector.api.response_finalizer import ResponseFinalizer
from sector.api.router import Router
from sector.api.routes import Endpoints, add_routes
from sector.api.settings import ApiSettings
from sector.api.sim_registry import SimRegistry
from sector.api.sims import SimsEndpoint
from sector.process import App, Health, attach, create_app, sample
from sector.process.connections import address_behind
from sector.process.health import Details
from sector.process.logs import is_json
from sector.process.request_limits import RequestLimits
from sector.process.tracing import Traces
from sector.state.log.rate_usage import SharedSpending
from sector.state.redis.client import connect
from sector.state.redis.durability import PROMISES
from sector.state.redis.health import RedisHealth, probe_writes
from sector.state.watch.sim_watcher import REDIS, SIM


def create_api(settings: ApiSettings) -> App:
    """Return the app. It answers at once, and is ready when Redis and the sim are available."""
    redis = connect(settings.redis_url, timeout_s=settings.redis_timeout_s)
    health = Health("api", REDIS, SIM, DURABILITY)
    redis_health = RedisHealth(redis, settings.sim_id, probe_writes, health.update, settings.redis_url.where)
    registry = SimRegistry(
        redis, settings.sim_id, settings.durability, settings.max_pending_orders, redis_health.report
    )
    ring = settings.key_ring
    authenticator = Authenticator(ring, settings.auth_audience)
    address = address_behind(settings.proxies)
    limits = RequestLimits(
        SharedSpending(redis, settings.sim_id, "requests "),
        per_token=settings.requests_per_token,
        per_address=settings.requests_per_address,
    )
    throttle = RequestThrottle(limits, address, authenticator.subject)
    access_log = AccessLog(settings.access_log, address, authenticator.subject, as_json=is_json(settings.log_format))
    finalizer = ResponseFinalizer(access_log, Cors(settings.cors_origins))
    traces = Traces.from_settings(settings, "sector-api")
    rates = OrderRates(settings.rate_per_token, settings.rate_per_address)
    orders = OrdersEndpoint(authenticator, rates, address, throttle, traces)
    streams = EventStreams(
        finalizer,
        throttle,
        traces,
        max_streams=settings.max_streams,
        heartbeat_s=settings.heartbeat_s,
        write_timeout_s=settings.stream_write_timeout_s,
    )
    app = create_app(
        health,
        _details(settings, registry, authenticator, orders, streams),
        finalizer.headers_of,
        operator_port=settings.operator_port,
        sender_timeout_s=settings.request_timeout_s,
        promised=("MAX_STREAMS", settings.max_streams),
    )
    app.config.REQUEST_MAX_SIZE = settings.max_body_bytes
    app.config.PROXIES_COUNT = settings.proxies or None
    error_handlers.install(app, finalizer)
    sample(app, lambda: _sample(registry, streams))
    endpoints = Endpoints(orders, streams, SimsEndpoint(redis, authenticator, settings.max_sims), authenticator)
    add_routes(Router(app, finalizer, throttle), registry, throttle, endpoints)
    attach(app, "sims", registry.run)
    attach(app, "streams", streams.run)
    attach(app, "request limits", limits.run)
    attach(app, "pending orders", lambda stop: watch_pending(stop, redis, settings.sim_id))
    attach(app, "durability", lambda stop: check_durability(stop, redis, settings.durability, settings.sim_id, health))
    attach(app, "writes", lambda stop: check_writes(stop, redis_health))
    if ring is not None:
        attach(app, "keys", lambda stop: check_keys(stop, ring, health))
        # The logs are configured by then.
        app.before_server_start(lambda _: ring.report())
    app.after_server_stop(lambda _: redis.aclose())
    app.after_server_stop(lambda _: traces.close())
    return app


def _details(
    settings: ApiSettings,
    registry: SimRegistry,
    authenticator: Authenticator,
    orders: OrdersEndpoint,
    streams: EventStreams,
) -> Details:
    """Return a function that returns the details in /health."""

    async def details() -> dict[str, JsonValue]:
        head = registry.own.views.view.head if registry.own and registry.own.views else None
        position: dict[str, JsonValue] = (
            {} if head is None else {"tick": head.tick, "status": head.status, "at_ms": head.at_ms}
        )
        return {
            "sim": settings.sim_id,
            "auth": "open" if authenticator.open else "tokens",
            **authenticator.key_counts,
            "orders_accepted": orders.accepted,
            "streams": streams.open,
            "streams_dropped": streams.dropped,
            "durability": settings.order_durability,
            "promise": PROMISES[settings.order_durability],
            **position,
        }

    return details


def _sample(registry: SimRegistry, streams: EventStreams) -> None:
    STREAMS.set(streams.open)
    SIMS.set(len(registry))
    if registry.own is not None and registry.own.views is not None:
        TICK.set(registry.own.views.view.head.tick)
