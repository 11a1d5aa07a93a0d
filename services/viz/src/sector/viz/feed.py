"""The feed: follows the sim tick by tick, and tells what changed to all who watch."""

import asyncio
from collections.abc import Awaitable, Callable

from pydantic import JsonValue
from redis.exceptions import RedisError

from sector.models.delta import DeltaError
from sector.models.frame import FrameError, decode
from sector.models.rows import delta_rows
from sector.process import Health, backoff, until_stop, wait_for_stop
from sector.state.errors import SimNotFound, StateError
from sector.state.faults import describe
from sector.state.reader import SimReader, View

REDIS = "redis"
SIM = "sim"

type Message = dict[str, JsonValue]
type Tell = Callable[[Message], Awaitable[None]]


class Feed:
    """The view of the sim as last told. Who joins gets `snapshot()`, and from then on every tick."""

    def __init__(self, reader: SimReader, health: Health, tell: Tell) -> None:
        self._reader = reader
        self._health = health
        self._tell = tell
        self._view: View | None = None
        self._pauses = backoff()

    @property
    def tick(self) -> int | None:
        return self._view.head.tick if self._view else None

    def snapshot(self) -> Message | None:
        """Return the state as last told, or None before it is known."""
        return self._view.rows() if self._view else None

    async def run(self, stop: asyncio.Event) -> None:
        """Follow until `stop`. When Redis is away, or history was trimmed past us, begin anew from the newest snapshot."""
        while not stop.is_set():
            try:
                await until_stop(stop, self._follow())
            except SimNotFound as error:
                self._health.well(REDIS)
                self._health.fault(SIM, str(error))
            except (RedisError, OSError) as error:
                self._health.fault(REDIS, describe(error), f"{type(error).__name__}: {error}")
            except (FrameError, DeltaError, StateError) as error:
                self._health.fault(SIM, str(error))
            await wait_for_stop(stop, next(self._pauses))

    async def _follow(self) -> None:
        self._view = view = await self._reader.view()
        self._health.well(REDIS)
        self._health.well(SIM)
        self._pauses = backoff()
        await self._tell({"snapshot": view.rows()})
        async for tick in self._reader.follow(view.head.tick):
            view = self._view = view.after(tick)
            changes = delta_rows(decode(tick.delta), [view.map, view.snapshot])
            await self._tell(
                {
                    "tick": tick.tick,
                    "at_ms": tick.at_ms,
                    "status": view.head.status,
                    "winner": view.snapshot.meta.get("winner"),
                    "changes": {table: dict(parts) for table, parts in changes.items()},
                    "events": list(tick.events),
                }
            )
