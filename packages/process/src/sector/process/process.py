"""A process of Sector: a small Sanic app with health endpoints, and its work as owned tasks.

SIGTERM and SIGINT stop it: it is not ready any more, and serves on for SHUTDOWN_DELAY_S seconds, so that whoever sends it requests can turn
elsewhere; then the work is told, gets a bounded time to end, and the process exits with 0. Work that fails for a
reason it did not foresee ends the process with 1, so that whoever started it starts it again.
"""

import asyncio
import logging
import os
import signal
import socket
import sys
from collections.abc import Awaitable, Callable
from itertools import chain
from typing import Any, NoReturn

import orjson
import uvloop
from sanic import Sanic
from sanic.server import AsyncioServer

from sector.process.connections import (
    ConnectionLimit,
    LimitedHttpProtocol,
    LimitedWebSocketProtocol,
    abort,
    describe_shortage,
    raise_descriptor_limit,
    resolve_max_connections,
    set_ipv6_prefix,
)
from sector.process.deferred_metrics import flush_metrics
from sector.process.environment import ignored_variables
from sector.process.garbage import spare_what_stays
from sector.process.health import Details, HeadersOf, Health, endpoints, public_endpoints
from sector.process.http_errors import ProblemHandler
from sector.process.log_stream import log_stream, print_error, reserve_standard_descriptors
from sector.process.logs import configure
from sector.process.metrics import Sample, metrics_endpoint
from sector.process.renamed_settings import find_earlier_settings
from sector.process.settings import EXIT_WRONG_SETTING, Settings
from sector.process.slow_senders import SenderLimit
from sector.process.vitals import dropped_lines, readiness, shared_values, watch
from sector.process.waiting import wait_for_stop

log = logging.getLogger(__name__)

type App = Sanic
type Work = Callable[[asyncio.Event], Awaitable[None]]

CONNECTIONS = "connections"
"""Condition of a service that promises more connections than it accepts."""
STOP_WITHIN_S = 4.0
EXIT_FAILED = 1
_LOOK_S = 0.05
_BACKLOG = 4096
"""Connections that wait to be accepted (Linux: up to net.core.somaxconn). Of others the system drops the first packet, and a client
repeats it after a second: a hundred clients that connect at the same time would hide a process from its probes."""
_SENDER_TIMEOUT_S = 10.0
_RESPONSE_TIMEOUT_S = 60.0
_OPERATOR_CONNECTIONS = 64
_IDLE_BEHIND_PROXIES_S = 3700.0
"""More than any gateway keeps a connection by default: Envoy does for an hour, load balancers of clouds for up to ten minutes."""


def create_app(
    health: Health,
    details: Details | None = None,
    headers_of: HeadersOf = lambda _: {},
    *,
    operator_port: int = 0,
    sender_timeout_s: float = _SENDER_TIMEOUT_S,
    promised: tuple[str, int] | None = None,
) -> App:
    """Return an app that answers `/health` and `/metrics`, with the headers of `headers_of`, to which a service adds its endpoints and its
    work.

    With an `operator_port`, a second app answers these at that port, and the first only says whether it is live and ready.

    A request has `sender_timeout_s` to arrive. `promised`: a setting that promises connections, and its value: `/health` reports if
    fewer are accepted.
    """
    name = f"sector-{health.service}"
    app = operator_app = _bare_app(name, sender_timeout_s)
    if operator_port:
        operator_app = _bare_app(f"{name}-operator", sender_timeout_s)
        # Sanic rewrites its own methods for the app that starts first; it cannot do so twice in a process.
        operator_app.config.TOUCHUP = False
        app.blueprint(public_endpoints(health, headers_of))
    app.ctx.operator = (operator_app, operator_port) if operator_port else None
    app.ctx.samples = [shared_values(health), readiness(health), dropped_lines(log_stream())]
    operator_app.blueprint(endpoints(health, details, headers_of))
    operator_app.blueprint(metrics_endpoint(headers_of, app.ctx.samples))
    app.ctx.works = []
    app.ctx.health = health
    app.ctx.promised = promised
    attach(app, "vital signs", lambda stop: watch(stop, app.ctx.samples))
    attach(app, "slow senders", SenderLimit(lambda: app.ctx.connections(), sender_timeout_s).run)
    return app


def _bare_app(name: str, sender_timeout_s: float) -> App:
    # Without a prefix it reads no environment.
    app: App = Sanic(
        name,
        configure_logging=False,
        env_prefix="",
        dumps=orjson.dumps,
        loads=orjson.loads,
        error_handler=ProblemHandler(),
    )
    app.config.OAS = False
    # Of senders that fall silent, and of answers that take too long to make, or to be read.
    app.config.REQUEST_TIMEOUT = sender_timeout_s
    app.config.RESPONSE_TIMEOUT = _RESPONSE_TIMEOUT_S
    return app


def sample(app: App, take: Sample) -> None:
    """Have `take` set gauges, once a second and whenever metrics are asked for."""
    app.ctx.samples.append(take)


def attach(app: App, name: str, work: Work) -> None:
    """Run `work` as long as the app serves; it is to return soon after its event is set."""
    app.ctx.works.append((name, work))


def run(app: App, settings: Settings, port: int, *, answers_many: bool = True) -> NoReturn:
    """Serve until a signal; exits 0 after one, 1 if work failed, 2 if the port cannot be had.

    `answers_many`: whether it makes many small objects at once, so that Python is to look for garbage seldom. Who makes few and large ones
    would hold them for long.
    """
    if app.ctx.operator and app.ctx.operator[1] == port:
        # With REUSE_PORT the system would share connections among the two.
        print_error(f"wrong setting OPERATOR_PORT={port}: it is the public port. Allowed: another port, or 0")
        sys.exit(EXIT_WRONG_SETTING)
    reserve_standard_descriptors()
    configure(app.name, settings.log_level, settings.log_format)
    if ignored := ignored_variables():
        log.info("environment variables of libraries have no effect here: %s", ", ".join(ignored))
    for setting in find_earlier_settings(type(settings)):
        log.warning(
            "setting has a new name",
            extra={"setting": setting.earlier_name, "new_name": setting.name, "has_effect": not setting.overridden},
        )
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        sys.exit(runner.run(_serve(app, settings, port, answers_many=answers_many)))


async def _serve(app: App, settings: Settings, port: int, *, answers_many: bool) -> int:
    # Connections from a proxy are those of many clients.
    per_address = 0 if app.config.PROXIES_COUNT else settings.max_connections_per_address
    set_ipv6_prefix(settings.ipv6_prefix)
    raise_descriptor_limit()
    accepted = resolve_max_connections(settings.max_connections)
    app.ctx.connection_limit = ConnectionLimit(accepted, per_address)
    if app.ctx.promised and (shortage := describe_shortage(app.ctx.promised, settings.max_connections, accepted)):
        app.ctx.health.set_error(CONNECTIONS, shortage, blocks=False)
    # Our own handlers, and first of all: Sanic's come once it listens, and a signal before that is lost or kills.
    signalled, stop = asyncio.Event(), asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, _note, signalled, stop)
    servers: list[AsyncioServer] = []
    for listener, at in _listeners(app, port):
        try:
            servers.append(await _listen(listener, settings, at))
        except OSError as error:
            # uvloop's own text repeats the address; a name that is not known has no number of the system's.
            reason = os.strerror(error.errno) if error.errno and error.errno > 0 else error.strerror
            print_error(f"cannot listen at {settings.host}:{at}: {reason}; see HOST and the port in --help")
            return EXIT_WRONG_SETTING
    if answers_many:
        spare_what_stays()
    app.ctx.connections = lambda: chain.from_iterable(each.connections for each in servers)
    works = [asyncio.create_task(_guarded(name, work, signalled, stop), name=name) for name, work in app.ctx.works]
    await signalled.wait()
    app.ctx.health.stopping()
    await wait_for_stop(stop, settings.shutdown_delay_s)
    stop.set()
    await asyncio.gather(_end_works(works), *map(_end_connections, servers))
    for ended in servers:
        await ended.before_stop()
        await ended.after_stop()
    # Others that share its counts tell them from now on.
    flush_metrics()
    return 0 if all(work.cancelled() or work.result() for work in works) else EXIT_FAILED


def _listeners(app: App, port: int) -> list[tuple[App, int]]:
    """Return each app and its port, the public one first."""
    if app.ctx.operator is None:
        return [(app, port)]
    operator_app, operator_port = app.ctx.operator
    # Of its own: clients cannot use it up.
    operator_app.ctx.connection_limit = ConnectionLimit(_OPERATOR_CONNECTIONS, 0)
    return [(app, port), (operator_app, operator_port)]


async def _listen(app: App, settings: Settings, port: int) -> AsyncioServer:
    """Listen at a port. Raises OSError."""
    app.config.KEEP_ALIVE_TIMEOUT = idle_timeout_s(app, settings)
    server = await app.create_server(
        **_where(settings, port),
        backlog=_BACKLOG,
        protocol=LimitedWebSocketProtocol if app.websocket_enabled else LimitedHttpProtocol,
        access_log=False,
        return_asyncio_server=True,
        asyncio_server_kwargs={"start_serving": False},
    )
    if server is None:
        raise RuntimeError("Sanic was to return its server")
    await server.startup()
    await server.before_start()
    await server.start_serving()
    await server.after_start()
    return server


def idle_timeout_s(app: App, settings: Settings) -> float:
    """Return how long a connection may be idle. A proxy that sends a request over a connection while we close it answers 502."""
    if app.config.PROXIES_COUNT and "idle_timeout_s" not in settings.model_fields_set:
        return _IDLE_BEHIND_PROXIES_S
    return settings.idle_timeout_s


def _where(settings: Settings, port: int) -> dict[str, Any]:
    """Return where to listen, as Sanic is told it. Raises OSError."""
    if not settings.reuse_port:
        return {"host": settings.host, "port": port}
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    return {"sock": socket.create_server((settings.host, port), family=family, backlog=_BACKLOG, reuse_port=True)}


def _note(signalled: asyncio.Event, stop: asyncio.Event) -> None:
    """Note a signal. The second one ends the draining."""
    if signalled.is_set():
        stop.set()
    signalled.set()


async def _guarded(name: str, work: Work, signalled: asyncio.Event, stop: asyncio.Event) -> bool:
    try:
        await work(stop)
    except Exception:
        log.exception("%s failed; this process ends", name)
        stop.set()
        signalled.set()
        return False
    return True


async def _end_works(works: list[asyncio.Task[bool]]) -> None:
    _, late = await asyncio.wait(works, timeout=STOP_WITHIN_S)
    for task in late:
        log.warning("%s did not end within %.0f s and is cancelled", task.get_name(), STOP_WITHIN_S)
        task.cancel()
    await asyncio.gather(*late, return_exceptions=True)


async def _end_connections(server: AsyncioServer) -> None:
    """Listen no more; let requests under way be answered, within the bound; close what is left."""
    closed = asyncio.ensure_future(server.wait_closed())
    # uvloop waits for connections only where the waiting began before the closing.
    await asyncio.sleep(0)
    server.close()
    for connection in server.connections:
        websocket = getattr(connection, "websocket", None)
        if websocket is not None:
            websocket.fail_connection(code=1001)
    loop = asyncio.get_running_loop()
    end_s = loop.time() + STOP_WITHIN_S
    while not closed.done() and loop.time() < end_s:
        for connection in tuple(server.connections):
            connection.close_if_idle()
        # What is being answered now is idle soon.
        await asyncio.wait((closed,), timeout=_LOOK_S)
    for connection in tuple(server.connections):
        abort(connection)
