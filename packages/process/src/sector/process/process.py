"""A process of Sector: a small Sanic app with health endpoints, and its work as an owned task.

SIGTERM and SIGINT stop it: the work is told, gets a bounded time to end, and the process exits with 0. Work that fails for a
reason it did not foresee ends the process with 1, so that whoever started it starts it again.
"""

import asyncio
import logging
import sys
from collections.abc import Awaitable, Callable

import orjson
from sanic import Sanic

from sector.process.health import Details, Health, endpoints
from sector.process.settings import EXIT_WRONG_SETTING, Settings

log = logging.getLogger(__name__)

type App = Sanic
type Work = Callable[[asyncio.Event], Awaitable[None]]

STOP_WITHIN_S = 4.0


def create_app(health: Health, details: Details | None = None) -> App:
    """Return an app that answers `/health`, to which a service adds its endpoints and its work."""
    app = Sanic(f"sector-{health.service}", configure_logging=False, dumps=orjson.dumps, loads=orjson.loads)
    app.config.GRACEFUL_SHUTDOWN_TIMEOUT = STOP_WITHIN_S
    app.config.OAS = False
    app.blueprint(endpoints(health, details))
    app.ctx.failed = False
    return app


def attach(app: App, name: str, work: Work) -> None:
    """Run `work` as long as the app: it starts before the app serves, and is to return soon after its event is set."""
    stop = asyncio.Event()

    async def guarded() -> None:
        try:
            await work(stop)
        except Exception:
            log.exception("%s failed; this process ends", name)
            app.ctx.failed = True
            app.stop()

    @app.before_server_start
    async def start(app: App) -> None:
        app.ctx.tasks = [*getattr(app.ctx, "tasks", []), asyncio.create_task(guarded(), name=name)]

    @app.before_server_stop
    async def end(app: App) -> None:
        stop.set()
        _, late = await asyncio.wait(app.ctx.tasks, timeout=STOP_WITHIN_S)
        for task in late:
            log.warning("%s did not end within %.0f s and is cancelled", task.get_name(), STOP_WITHIN_S)
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)


def run(app: App, settings: Settings, port: int) -> None:
    """Serve until a signal; exits 0 after one, 1 if the work failed, 2 if the port cannot be had."""
    logging.basicConfig(
        level=settings.log_level.upper(),
        format=f"%(asctime)s %(levelname)-7s {app.name}: %(message)s",
        stream=sys.stderr,
    )
    logging.getLogger("sanic").setLevel(logging.WARNING)
    try:
        app.run(host=settings.host, port=port, single_process=True, access_log=False, motd=False)
    except OSError as error:
        print(f"cannot listen at {settings.host}:{port}: {error.strerror}", file=sys.stderr)
        sys.exit(EXIT_WRONG_SETTING)
    sys.exit(1 if app.ctx.failed else 0)
