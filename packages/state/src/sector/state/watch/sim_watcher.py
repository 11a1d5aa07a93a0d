"""Watches one sim for a process: keeps the newest view, and calls listeners with each tick."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from redis.exceptions import RedisError

from sector.models.delta import DeltaError
from sector.models.deprecated_names import deprecated_names
from sector.models.frame import FrameError
from sector.state.errors import FollowerBehind, FollowerEnded, HistoryRewound, SimNotFound, StateError
from sector.state.history.event_codec import TickEvents
from sector.state.redis.client import Client
from sector.state.redis.error_messages import concerns_one_sim, describe
from sector.state.watch.reader import SimReader, SimView

type TickListener = Callable[[TickEvents | None], None]
"""Called with each tick, or with None where ticks may have been missed."""

type Fault = RedisError | StateError | FrameError | DeltaError
FAULTS = (RedisError, StateError, FrameError, DeltaError)
_CATCH_UP_TIMEOUT_S = 2.0
REDIS = "redis"
SIM = "sim"


def conditions(fault: Fault | None) -> dict[str, tuple[str, str] | None]:
    """Return the conditions `redis` and `sim` that an error of a watcher implies.

    None: it is well. Otherwise the error as text, and the text of a library, which is for the log alone."""
    match fault:
        case None:
            return {REDIS: None, SIM: None}
        case SimNotFound():
            return {REDIS: None, SIM: (str(fault), "")}
        case RedisError() if concerns_one_sim(fault):
            return {REDIS: None, SIM: (describe(fault), f"{type(fault).__name__}: {fault}")}
        case RedisError():
            return {REDIS: (describe(fault), f"{type(fault).__name__}: {fault}")}
        case _:
            return {REDIS: None, SIM: (str(fault), "")}


class SimWatcher:
    """Watches one sim. `pauses`: returns the pauses between retries, in seconds. `on_status`: called with None when a read succeeds,
    and with the error when it fails."""

    def __init__(
        self,
        redis: Client,
        sim_id: str,
        pauses: Callable[[], Iterator[float]],
        on_status: Callable[[Fault | None], None] = lambda _: None,
    ) -> None:
        self.sim_id = sim_id
        self.redis = redis
        self.reader = SimReader(redis, sim_id)
        self.latest_view: SimView | None = None
        self.fault: Fault | None = None
        self._pauses = pauses
        self._on_status = on_status
        self._listeners: set[TickListener] = set()
        self._waiters = 0
        self.ended = False
        self._changed = asyncio.Event()

    @property
    def listeners(self) -> int:
        """The number of listeners."""
        return len(self._listeners)

    @property
    def in_use(self) -> bool:
        """Whether it has listeners, or calls that wait for a view."""
        return bool(self._listeners) or self._waiters > 0

    @contextmanager
    def subscribe(self, listener: TickListener) -> Iterator[None]:
        """Call `listener` with each tick, and with None when watching ends. Raises FollowerEnded where it has ended."""
        if self.ended:
            raise FollowerEnded(self.sim_id)
        self._listeners.add(listener)
        try:
            yield
        finally:
            self._listeners.discard(listener)

    async def view(self) -> SimView:
        """Return the newest view that was read. Raises the error of the last read; FollowerEnded when watching ends."""
        while self.fault is None:
            if self.latest_view is not None:
                return self.latest_view
            await self._wait()
        # Without the frames of those it was raised for before: they and their requests would stay in memory.
        raise self.fault.with_traceback(None)

    async def current_view(self) -> SimView:
        """Return a view that is not older than this call. Raises FollowerBehind where it is not read in time, and the errors of `view`."""
        head = await self.reader.head()
        try:
            async with asyncio.timeout(_CATCH_UP_TIMEOUT_S):
                while (view := await self.view()).head.tick < head.tick:
                    await self._wait()
        except TimeoutError as error:
            raise FollowerBehind(self.sim_id, head.tick) from error
        return view

    async def _wait(self) -> None:
        """Wait for a change."""
        self._waiters += 1
        try:
            await self._changed.wait()
        finally:
            self._waiters -= 1

    async def run(self) -> None:
        """Watch until cancelled; then notify all listeners and waiting calls.

        When Redis is unreachable, or the next tick was trimmed from the history, start again from the newest view.
        """
        try:
            await self._follow()
        finally:
            self.ended = True
            self.fault = FollowerEnded(self.sim_id)
            self._set_view(None, reset=True)
            self._wake()
            self._call_listeners(None)

    async def _follow(self) -> None:
        pauses = self._pauses()
        while True:
            try:
                view = await self.reader.view()
                pauses = self._pauses()
                self._publish(view, None)
                async for tick in self.reader.follow(view.head.tick):
                    view = view.after(tick)
                    self._publish(view, tick)
            except FAULTS as error:
                self._report_fault(error)
            await asyncio.sleep(0 if isinstance(self.fault, HistoryRewound) else next(pauses))

    def _set_view(self, view: SimView | None, *, reset: bool) -> None:
        """Store the view, or None where there is none. `reset`: it may not follow from the one before. Subclasses encode it here."""
        self.latest_view = view

    def _publish(self, view: SimView, tick: TickEvents | None) -> None:
        self._set_view(view, reset=tick is None)
        self.fault = None
        self._on_status(None)
        self._wake()
        self._call_listeners(tick)

    def _report_fault(self, error: Fault) -> None:
        self.fault = error
        self._set_view(None, reset=True)
        self._on_status(error)
        self._wake()
        if isinstance(error, SimNotFound):
            self._call_listeners(None)

    def _call_listeners(self, tick: TickEvents | None) -> None:
        for listener in tuple(self._listeners):
            listener(tick)

    def _wake(self) -> None:
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()


if not TYPE_CHECKING:  # (a type checker would allow any name)
    __getattr__ = deprecated_names(
        __name__,
        {
            "Heard": "TickListener",
            "Followed": "SimWatcher",
        },
    )
