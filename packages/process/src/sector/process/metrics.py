"""Metrics: buckets, the text for Prometheus, and the endpoint `/metrics`. Each metric is defined beside the code that updates it."""

import logging
import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, disable_created_metrics, generate_latest
from sanic import Blueprint, HTTPResponse, Request, raw

from sector.models.deprecated_names import deprecated_names
from sector.process import shared_values
from sector.process.deferred_metrics import flush_metrics
from sector.process.health import HeadersOf
from sector.process.metric_aliases import EarlierNames
from sector.process.problem_documents import problem
from sector.process.shared_metrics import SHARED, SharedMetricsCollector, remove_dead_processes

SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Bounds of the buckets of durations, in seconds: what is fast here takes less than a millisecond."""
BYTES = tuple(4**power for power in range(4, 14))
"""Bounds of the buckets of sizes, in bytes: 256 to 64 MiB."""

_PART, _BURST_S = 0.1, 0.2

type Sample = Callable[[], None]
"""Sets gauges to their current values."""

log = logging.getLogger(__name__)

shared_values.install()
# The time at which each counter was created would double the number of series.
disable_created_metrics()  # type: ignore[no-untyped-call]  # the library has no types there


def exposition() -> bytes:
    """Return the text of all metrics: of this process, or of all that share theirs."""
    flush_metrics()
    folder = os.environ.get(SHARED)
    if not folder:
        return generate_latest(EarlierNames(REGISTRY))
    remove_dead_processes(Path(folder))
    registry = CollectorRegistry()
    SharedMetricsCollector(registry, path=folder)  # type: ignore[no-untyped-call]  # the library has no types there
    return generate_latest(EarlierNames(registry))


class PacedText:
    """Renders a text on request, with at most a tenth of the time of the event loop, in bursts of 200 ms. Beyond that it returns the
    last text, so that a flood of requests for metrics does not block other work. `clock`: seconds.
    """

    def __init__(self, render: Callable[[], bytes], clock: Callable[[], float] = time.monotonic) -> None:
        self._render = render
        self._clock = clock
        self._text: bytes | None = None
        self._owed_s = 0.0
        self._updated_s = clock()

    def text(self) -> bytes:
        """Return the text."""
        began_s = self._clock()
        self._owed_s = max(self._owed_s - (began_s - self._updated_s) * _PART, 0.0)
        self._updated_s = began_s
        if self._text is None or self._owed_s < _BURST_S:
            self._text = self._render()
            self._owed_s += self._clock() - began_s
        return self._text


def metrics_endpoint(headers_of: HeadersOf, samples: Sequence[Sample]) -> Blueprint:
    """Return `/metrics`. The samples are taken before each rendering."""
    routes = Blueprint("metrics")

    def render() -> bytes:
        for sample in samples:
            sample()
        return exposition()

    paced = PacedText(render)
    logged: set[str] = set()

    @routes.get("/metrics")
    async def metrics(request: Request) -> HTTPResponse:
        try:
            return raw(paced.text(), content_type=CONTENT_TYPE_LATEST, headers=headers_of(request))
        except OSError as error:
            reason = f"a file of {SHARED} cannot be read: {error.strerror}"
            if reason not in logged:
                # Once, not at each request.
                logged.add(reason)
                extra = {"file": error.filename, "error": error.strerror}
                log.error("metrics file unreadable", extra=extra)  # noqa: TRY400  (the fields say all)
            return problem(500, f"{reason}: see the log for its name", headers_of(request))

    return routes


if not TYPE_CHECKING:  # (a type checker would allow any name)
    __getattr__ = deprecated_names(__name__, {"Paced": "PacedText"})
