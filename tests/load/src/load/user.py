"""What all users have in common: a client, time to think, and measuring."""

import random
import time
from collections.abc import Awaitable, Coroutine
from typing import NamedTuple

from locust import User
from locust.env import Environment

from load.bridge import bridge
from load.options import LoadOptions
from sector.client import Client

REQUEST, WORLD, STREAM = "API", "WORLD", "STREAM"
"""Kinds of what is measured: requests; what the world takes for an order; what a tick takes to be seen."""


class Sample(NamedTuple):
    """Something that was measured, in milliseconds; `fault`: why it is a failure."""

    kind: str
    name: str
    took_ms: float
    fault: Exception | None = None


class SectorUser(User):
    """Somebody with a program of their own."""

    abstract = True

    def __init__(self, environment: Environment) -> None:
        super().__init__(environment)
        self.options = LoadOptions.of(environment)
        self._samples: list[Sample] = []
        self.client: Client

    def wait_time(self) -> float:
        """Return how long they think, in seconds."""
        return random.uniform(self.options.think_min, self.options.think_max)  # noqa: S311  (nothing secret)

    def on_start(self) -> None:
        """Connect."""
        bridge().run(self._connect())

    def on_stop(self) -> None:
        """Disconnect."""
        bridge().run(self.client.close())

    async def _connect(self) -> None:
        # Nothing is tried twice: a request that fails is to be seen.
        self.client = Client(self.host or "", token=self.options.token, sim=self.options.sim, patience_s=0)

    def do(self, work: Coroutine[object, object, None]) -> None:
        """Do something, and tell Locust what was measured meanwhile, however it ended."""
        try:
            bridge().run(work)
        except TaskAborted:
            # Why, is among what was measured.
            return
        finally:
            samples, self._samples = self._samples, []
            for kind, name, took_ms, fault in samples:
                self.environment.events.request.fire(
                    request_type=kind,
                    name=name,
                    response_time=took_ms,
                    response_length=0,
                    exception=fault,
                    context=self.context(),
                )

    def note(self, kind: str, name: str, took_ms: float, fault: Exception | None = None) -> None:
        """Note something that was measured."""
        self._samples.append(Sample(kind, name, took_ms, fault))

    async def measured[T](self, name: str, asking: Awaitable[T]) -> T:
        """Return what a request brings, and measure it. Raises what it raises, which ends the task."""
        start = time.perf_counter()
        try:
            response = await asking
        except Exception as error:
            self.note(REQUEST, name, (time.perf_counter() - start) * 1000, error)
            raise TaskAborted from error
        self.note(REQUEST, name, (time.perf_counter() - start) * 1000)
        return response


class TaskAborted(Exception):
    """A task cannot go on."""
