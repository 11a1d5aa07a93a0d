"""The Sanic app of a process, with health, metrics and background tasks. A service adds its endpoints."""

import asyncio
from collections.abc import Awaitable, Callable

import orjson
from sanic import Sanic

from sector.process.health import Details, HeadersOf, Health, endpoints, public_endpoints
from sector.process.http_errors import ProblemHandler
from sector.process.log_stream import log_stream
from sector.process.metrics import Sample, metrics_endpoint
from sector.process.process_metrics import dropped_lines, readiness_metrics, shared_values, watch
from sector.process.slow_senders import SenderLimit
from sector.process.timed_request import TimedRequest

type App = Sanic
type Task = Callable[[asyncio.Event], Awaitable[None]]
"""Work in the background. It must return soon after its event is set."""

_SENDER_TIMEOUT_S = 10.0
_RESPONSE_TIMEOUT_S = 60.0


def create_app(
    health: Health,
    details: Details | None = None,
    headers_of: HeadersOf = lambda _: {},
    *,
    operator_port: int = 0,
    sender_timeout_s: float = _SENDER_TIMEOUT_S,
    promised: tuple[str, int] | None = None,
) -> App:
    """Return an app with the endpoints `/health` and `/metrics`. A service adds its own endpoints and tasks.

    Args:
        health: The conditions of the process.
        details: Returns additional fields for `/health`.
        headers_of: Returns headers for the responses of these endpoints.
        operator_port: If it is not 0, a second app serves these endpoints at this port. The first one then has only
            liveness and readiness.
        sender_timeout_s: How many seconds a request has to arrive.
        promised: A setting that promises connections, as its name and value. `/health` reports an error if the process
            accepts fewer.
    """
    name = f"sector-{health.service}"
    app = operator_app = _bare_app(name, sender_timeout_s)
    if operator_port:
        operator_app = _bare_app(f"{name}-operator", sender_timeout_s)
        # Sanic rewrites its own methods for the app that starts first, which works only once per process.
        operator_app.config.TOUCHUP = False
        app.blueprint(public_endpoints(health, headers_of))
    app.ctx.operator = (operator_app, operator_port) if operator_port else None
    app.ctx.samples = [shared_values(health), readiness_metrics(health), dropped_lines(log_stream())]
    operator_app.blueprint(endpoints(health, details, headers_of))
    operator_app.blueprint(metrics_endpoint(headers_of, app.ctx.samples))
    app.ctx.tasks = []
    app.ctx.health = health
    app.ctx.promised = promised
    attach(app, "process metrics", lambda stop: watch(stop, app.ctx.samples))
    attach(app, "slow senders", SenderLimit(lambda: app.ctx.connections(), sender_timeout_s).run)
    return app


def _bare_app(name: str, sender_timeout_s: float) -> App:
    # With an empty prefix Sanic reads no environment variables.
    app: App = Sanic(
        name,
        configure_logging=False,
        env_prefix="",
        dumps=orjson.dumps,
        loads=orjson.loads,
        error_handler=ProblemHandler(),
        request_class=TimedRequest,
    )
    app.config.OAS = False
    # These limit silent senders, slow responses and slow readers.
    app.config.REQUEST_TIMEOUT = sender_timeout_s
    app.config.RESPONSE_TIMEOUT = _RESPONSE_TIMEOUT_S
    return app


def sample(app: App, take: Sample) -> None:
    """Call `take` to set gauges, once per second and before each export of metrics."""
    app.ctx.samples.append(take)


def attach(app: App, name: str, task: Task) -> None:
    """Run `task` while the app serves. It must return soon after its event is set."""
    app.ctx.tasks.append((name, task))
