"""The API of one sim, wired."""

import asyncio

from pydantic import JsonValue
from redis.exceptions import RedisError

from sector.api import events, orders, problems, snapshot
from sector.api.settings import ApiSettings
from sector.models.frame import FrameError
from sector.process import App, Health, attach, backoff, create_app, wait_for_stop
from sector.state.connect import connect
from sector.state.durability import PROMISES
from sector.state.errors import NotDurable, SimNotFound, StateError
from sector.state.faults import describe
from sector.state.reader import SimReader

REDIS = "redis"
SIM = "sim"
DURABILITY = "durability"
_LOOK_S = 1.0


def create_api(settings: ApiSettings) -> App:
    """Return the app; it serves at once, and is ready when Redis and the sim are there."""
    redis = connect(settings.redis_url, timeout_s=settings.redis_timeout_s)
    reader = SimReader(redis, settings.sim_id)
    health = Health("api", REDIS, SIM, DURABILITY)
    count = orders.Count()

    async def details() -> dict[str, JsonValue]:
        head = reader.last.head if reader.last else None
        known: dict[str, JsonValue] = {"tick": head.tick, "status": head.status, "at_ms": head.at_ms} if head else {}
        kind = settings.order_durability
        promise: dict[str, JsonValue] = {"durability": kind, "promise": PROMISES[kind]}
        return {"sim": settings.sim_id, "auth": "open", "orders_accepted": count.accepted, **promise, **known}

    async def look(stop: asyncio.Event) -> None:
        pauses = backoff()
        while not stop.is_set():
            pause = _LOOK_S
            try:
                await reader.view()
                health.well(REDIS)
                health.well(SIM)
                await settings.durability.probe(redis, settings.sim_id)
                health.well(DURABILITY)
                pauses = backoff()
            except NotDurable as error:
                health.fault(DURABILITY, str(error))
            except SimNotFound as error:
                health.well(REDIS)
                health.fault(SIM, str(error))
            except (RedisError, OSError) as error:
                health.fault(REDIS, describe(error), f"{type(error).__name__}: {error}")
                pause = next(pauses)
            except (FrameError, StateError) as error:
                health.fault(SIM, str(error))
            await wait_for_stop(stop, pause)

    app = create_app(health, details)
    app.config.REQUEST_MAX_SIZE = settings.max_body_bytes
    problems.install(app)
    app.blueprint(orders.routes(redis, reader, settings.sim_id, settings.durability, count))
    app.blueprint(snapshot.routes(reader))
    app.blueprint(events.routes(reader))
    attach(app, "look", look)
    app.after_server_stop(lambda _: redis.aclose())
    return app
