"""A sim as one process sees it: the newest view, kept fresh tick by tick, and all who wait for a tick."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from redis.exceptions import RedisError

from sector.models.delta import DeltaError
from sector.models.deprecated_names import deprecated_names
from sector.models.frame import FrameError
from sector.state.errors import FollowerBehind, FollowerEnded, HistoryRewound, SimNotFound, StateError
from sector.state.redis.client import Client
from sector.state.redis.error_messages import concerns_one_sim, describe
from sector.state.watch.reader import SimReader, SimView, TickEvents

type TickListener = Callable[[TickEvents | None], None]
"""Called with each tick; with None where ticks may have been missed."""

type Fault = RedisError | StateError | FrameError | DeltaError
FAULTS = (RedisError, StateError, FrameError, DeltaError)
_CATCH_UP_TIMEOUT_S = 2.0
REDIS = "redis"
SIM = "sim"


def conditions(fault: Fault | None) -> dict[str, tuple[str, str] | None]:
    """Return how `redis` and `sim` are, as far as a follower's fault tells: None where well, else the fault in words, and
    what a library says of it, for the log alone."""
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
    """One sim. `pauses`: makes the pauses between retries, in seconds. `told`: called when it is well, with None, and when it is
    not, with what is wrong."""

    def __init__(
        self,
        redis: Client,
        sim_id: str,
        pauses: Callable[[], Iterator[float]],
        told: Callable[[Fault | None], None] = lambda _: None,
    ) -> None:
        self.sim_id = sim_id
        self.redis = redis
        self.reader = SimReader(redis, sim_id)
        self.known: SimView | None = None
        self.fault: Fault | None = None
        self._pauses = pauses
        self._told = told
        self._heard: set[TickListener] = set()
        self._waiters = 0
        self.ended = False
        self._changed = asyncio.Event()

    @property
    def listeners(self) -> int:
        """How many wait for ticks."""
        return len(self._heard)

    @property
    def in_use(self) -> bool:
        """Whether anything listens to it, or waits for it."""
        return bool(self._heard) or self._waiters > 0

    @contextmanager
    def subscribe(self, heard: TickListener) -> Iterator[None]:
        """Have `heard` called with each tick meanwhile, and with None when following ends. Raises FollowerEnded where it has ended."""
        if self.ended:
            raise FollowerEnded(self.sim_id)
        self._heard.add(heard)
        try:
            yield
        finally:
            self._heard.discard(heard)

    async def view(self) -> SimView:
        """Return the newest view known. Raises what is wrong with the sim, or with Redis; FollowerEnded where following ends."""
        while self.fault is None:
            if self.known is not None:
                return self.known
            await self._wait()
        # Without the frames of those it was raised for before: they and their requests would stay in memory.
        raise self.fault.with_traceback(None)

    async def caught_up(self) -> SimView:
        """Return a view that is not older than this call. Raises FollowerBehind where it is not read in time, and what `view` raises."""
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
        """Follow until cancelled; then all listeners and waiters are notified.

        When Redis is away, or history was trimmed past us, begin again from the newest view.
        """
        try:
            await self._follow()
        finally:
            self.ended = True
            self.fault = FollowerEnded(self.sim_id)
            self._hold(None, anew=True)
            self._wake()
            self._call_listeners(None)

    async def _follow(self) -> None:
        pauses = self._pauses()
        while True:
            try:
                view = await self.reader.view()
                pauses = self._pauses()
                self._show(view, None)
                async for tick in self.reader.follow(view.head.tick):
                    view = view.after(tick)
                    self._show(view, tick)
            except FAULTS as error:
                self._missed(error)
            await asyncio.sleep(0 if isinstance(self.fault, HistoryRewound) else next(pauses))

    def _hold(self, view: SimView | None, *, anew: bool) -> None:
        """Keep the view, or None where there is none; `anew`: it may not follow from the one before. What is made of it goes here."""
        self.known = view

    def _show(self, view: SimView, tick: TickEvents | None) -> None:
        self._hold(view, anew=tick is None)
        self.fault = None
        self._told(None)
        self._wake()
        self._call_listeners(tick)

    def _missed(self, error: Fault) -> None:
        self.fault = error
        self._hold(None, anew=True)
        self._told(error)
        self._wake()
        if isinstance(error, SimNotFound):
            self._call_listeners(None)

    def _call_listeners(self, tick: TickEvents | None) -> None:
        for heard in tuple(self._heard):
            heard(tick)

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
