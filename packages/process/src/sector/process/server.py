"""The server of a process: it listens, runs the background tasks of the app, and shuts down gracefully.

SIGTERM and SIGINT stop it. From then on it is not ready, but serves for SHUTDOWN_DELAY_S seconds, so that load
balancers can redirect requests. Then the tasks get a limited time to end, and the process exits with 0. A task that
fails unexpectedly ends the process with 1, so that its supervisor restarts it.
"""

import asyncio
import logging
import os
import signal
import socket
import sys
from itertools import chain
from typing import TYPE_CHECKING, Any, NoReturn

import uvloop
from sanic.server import AsyncioServer

from sector.models.deprecated_names import deprecated_names
from sector.process import memory
from sector.process.app import App, Task
from sector.process.client_networks import set_ipv6_prefix
from sector.process.connections import (
    ConnectionLimit,
    LimitedHttpProtocol,
    LimitedWebSocketProtocol,
    abort,
    describe_shortage,
    raise_descriptor_limit,
    resolve_max_connections,
)
from sector.process.deferred_metrics import flush_metrics
from sector.process.environment import ignored_variables
from sector.process.log_stream import print_error, reserve_standard_descriptors
from sector.process.logs import configure
from sector.process.renamed_settings import find_earlier_settings
from sector.process.request_starts import RequestStarts
from sector.process.retry import wait_for_stop
from sector.process.settings import EXIT_WRONG_SETTING, Settings
from sector.process.shared_metrics import share_metrics

log = logging.getLogger(__name__)

CONNECTIONS = "connections"
"""The condition of a service that promises more connections than it accepts."""
STOP_TIMEOUT_S = 4.0
EXIT_FAILED = 1
_POLL_S = 0.05
_BACKLOG = 4096
"""The maximum of connections that wait to be accepted (Linux: up to net.core.somaxconn).

The system drops the first packet of further connections, and the client repeats it after a second. Without a large
backlog, a hundred clients that connect at the same time would hide a process from its probes.
"""
_OPERATOR_CONNECTIONS = 64
_IDLE_BEHIND_PROXIES_S = 3700.0
"""Longer than gateways keep idle connections by default: Envoy one hour, load balancers of clouds up to ten minutes."""


def run(app: App, settings: Settings, port: int, *, tune_gc: bool = True) -> NoReturn:
    """Serve until a signal.

    Exits with 0 after a signal, with 1 if a task failed, and with 2 if the process cannot listen.

    `tune_gc`: whether to collect garbage less often. It should be false for a process with few large objects, which
    would stay in memory longer.
    """
    if app.ctx.operator and app.ctx.operator[1] == port:
        # With REUSE_PORT the system would distribute connections between both apps.
        print_error(f"wrong setting OPERATOR_PORT={port}: it is the public port. Allowed: another port, or 0")
        sys.exit(EXIT_WRONG_SETTING)
    reserve_standard_descriptors()
    share_metrics()
    configure(app.name, settings.log_level, settings.log_format)
    if ignored := ignored_variables():
        log.info("environment variables of libraries ignored", extra={"variables": ignored})
    for setting in find_earlier_settings(type(settings)):
        log.warning(
            "setting renamed",
            extra={"setting": setting.earlier_name, "new_name": setting.name, "has_effect": not setting.overridden},
        )
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        sys.exit(runner.run(_serve(app, settings, port, tune_gc=tune_gc)))


async def _serve(app: App, settings: Settings, port: int, *, tune_gc: bool) -> int:
    # Connections from a proxy carry requests of many clients.
    per_address = 0 if app.config.PROXIES_COUNT else settings.max_connections_per_address
    set_ipv6_prefix(settings.ipv6_prefix)
    raise_descriptor_limit()
    accepted = resolve_max_connections(settings.max_connections)
    app.ctx.connection_limit = ConnectionLimit(accepted, per_address)
    app.ctx.request_starts = RequestStarts()
    if app.ctx.promised and (shortage := describe_shortage(app.ctx.promised, settings.max_connections, accepted)):
        app.ctx.health.set_error(CONNECTIONS, shortage, blocks=False)
    # Our handlers are set first. Sanic sets its own only when it listens, so an earlier signal would be lost or kill
    # the process.
    signalled, stop = asyncio.Event(), asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, _on_signal, signalled, stop)
    servers: list[AsyncioServer] = []
    for listener, listen_port in _listeners(app, port):
        try:
            servers.append(await _listen(listener, settings, listen_port))
        except OSError as error:
            # The text of uvloop repeats the address. An unknown name has no errno of the system.
            reason = os.strerror(error.errno) if error.errno and error.errno > 0 else error.strerror
            print_error(f"cannot listen on {settings.host}:{listen_port}: {reason}; correct HOST or the port")
            return EXIT_WRONG_SETTING
    if tune_gc:
        memory.freeze_startup_heap()
        memory.tune_gc()
    app.ctx.connections = lambda: chain.from_iterable(each.connections for each in servers)
    tasks = [asyncio.create_task(_run_task(name, task, signalled, stop), name=name) for name, task in app.ctx.tasks]
    await signalled.wait()
    app.ctx.health.stopping()
    await wait_for_stop(stop, settings.shutdown_delay_s)
    stop.set()
    await asyncio.gather(_end_tasks(tasks), *map(_end_connections, servers))
    for server in servers:
        await server.before_stop()
        await server.after_stop()
    # From now on, processes that share the metrics export those of this process.
    flush_metrics()
    return 0 if all(task.cancelled() or task.result() for task in tasks) else EXIT_FAILED


def _listeners(app: App, port: int) -> list[tuple[App, int]]:
    """Return each app and its port, the public one first."""
    if app.ctx.operator is None:
        return [(app, port)]
    operator_app, operator_port = app.ctx.operator
    # Its connections have their own limit, which public clients cannot exhaust.
    operator_app.ctx.connection_limit = ConnectionLimit(_OPERATOR_CONNECTIONS, 0)
    return [(app, port), (operator_app, operator_port)]


async def _listen(app: App, settings: Settings, port: int) -> AsyncioServer:
    """Listen at a port. Raises OSError."""
    app.config.KEEP_ALIVE_TIMEOUT = idle_timeout_s(app, settings)
    server = await app.create_server(
        **_socket_options(settings, port),
        backlog=_BACKLOG,
        protocol=LimitedWebSocketProtocol if app.websocket_enabled else LimitedHttpProtocol,
        access_log=False,
        return_asyncio_server=True,
        asyncio_server_kwargs={"start_serving": False},
    )
    if server is None:
        raise RuntimeError("Sanic did not return its server")
    await server.startup()
    await server.before_start()
    await server.start_serving()
    await server.after_start()
    return server


def idle_timeout_s(app: App, settings: Settings) -> float:
    """Return how many seconds a connection may be idle.

    It is longer behind a proxy. If a proxy sends a request while this process closes the connection, the client gets a
    502.
    """
    if app.config.PROXIES_COUNT and "idle_timeout_s" not in settings.model_fields_set:
        return _IDLE_BEHIND_PROXIES_S
    return settings.idle_timeout_s


def _socket_options(settings: Settings, port: int) -> dict[str, Any]:
    """Return the arguments of Sanic for the listening socket. Raises OSError."""
    if not settings.reuse_port:
        return {"host": settings.host, "port": port}
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    return {"sock": socket.create_server((settings.host, port), family=family, backlog=_BACKLOG, reuse_port=True)}


def _on_signal(signalled: asyncio.Event, stop: asyncio.Event) -> None:
    """Start the shutdown at the first signal. The second signal ends the delay."""
    if signalled.is_set():
        stop.set()
    signalled.set()


async def _run_task(name: str, task: Task, signalled: asyncio.Event, stop: asyncio.Event) -> bool:
    try:
        await task(stop)
    except Exception:
        log.exception("task failed, process stops", extra={"task": name})
        stop.set()
        signalled.set()
        return False
    return True


async def _end_tasks(tasks: list[asyncio.Task[bool]]) -> None:
    _, late = await asyncio.wait(tasks, timeout=STOP_TIMEOUT_S)
    for task in late:
        log.warning(
            "task cancelled after shutdown timeout", extra={"task": task.get_name(), "timeout_s": STOP_TIMEOUT_S}
        )
        task.cancel()
    await asyncio.gather(*late, return_exceptions=True)


async def _end_connections(server: AsyncioServer) -> None:
    """Stop listening, wait a limited time for pending responses, then close all connections."""
    closed = asyncio.ensure_future(server.wait_closed())
    # uvloop waits for connections only if the wait began before the close.
    await asyncio.sleep(0)
    server.close()
    for connection in server.connections:
        websocket = getattr(connection, "websocket", None)
        if websocket is not None:
            websocket.fail_connection(code=1001)
    loop = asyncio.get_running_loop()
    end_s = loop.time() + STOP_TIMEOUT_S
    while not closed.done() and loop.time() < end_s:
        for connection in tuple(server.connections):
            connection.close_if_idle()
        # A connection is idle after the response to its request.
        await asyncio.wait((closed,), timeout=_POLL_S)
    for connection in tuple(server.connections):
        abort(connection)


if not TYPE_CHECKING:  # (a type checker would allow any name)
    __getattr__ = deprecated_names(
        __name__,
        {
            "STOP_WITHIN_S": "STOP_TIMEOUT_S",
            "Work": "sector.process.app.Task",
            "attach": "sector.process.app.attach",
            "create_app": "sector.process.app.create_app",
            "sample": "sector.process.app.sample",
        },
    )
