"""The base class of all users: a client, think time, and measurements."""

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
"""Kinds of measurements: requests, the time to the outcome of an order, and the delivery of ticks."""


class Sample(NamedTuple):
    """A measurement in milliseconds. `fault`: the exception of a failure."""

    kind: str
    name: str
    took_ms: float
    fault: Exception | None = None


class SectorUser(User):
    """A user with its own client program."""

    abstract = True

    def __init__(self, environment: Environment) -> None:
        super().__init__(environment)
        self.options = LoadOptions.of(environment)
        self._samples: list[Sample] = []
        self.client: Client

    def wait_time(self) -> float:
        """Return the think time in seconds."""
        return random.uniform(self.options.think_min, self.options.think_max)  # noqa: S311  (nothing secret)

    def on_start(self) -> None:
        """Connect."""
        bridge().run(self._connect())

    def on_stop(self) -> None:
        """Disconnect."""
        bridge().run(self.client.close())

    async def _connect(self) -> None:
        # No retries: every failed request must be counted.
        self.client = Client(self.host or "", token=self.options.token, sim=self.options.sim, retry_timeout_s=0)

    def do(self, work: Coroutine[object, object, None]) -> None:
        """Run a task, and report its measurements to Locust even if it fails."""
        try:
            bridge().run(work)
        except TaskAborted:
            # The reason is among the measurements.
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
        """Record a measurement."""
        self._samples.append(Sample(kind, name, took_ms, fault))

    async def measured[T](self, name: str, asking: Awaitable[T]) -> T:
        """Await and measure a request. Raises TaskAborted if it fails."""
        start = time.perf_counter()
        try:
            response = await asking
        except Exception as error:
            self.note(REQUEST, name, (time.perf_counter() - start) * 1000, error)
            raise TaskAborted from error
        self.note(REQUEST, name, (time.perf_counter() - start) * 1000)
        return response


class TaskAborted(Exception):
    """A request of a task failed."""
