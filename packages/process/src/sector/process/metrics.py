"""Metrics: buckets, the export in the format of Prometheus, and the endpoint `/metrics`.

The code that updates a metric defines it.
"""

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
"""Bounds of the buckets of durations, in seconds. Fast operations take less than a millisecond."""
BYTES = tuple(4**power for power in range(4, 14))
"""Bounds of the buckets of sizes, in bytes: 256 to 64 MiB."""

_PART, _BURST_S = 0.1, 0.2

type Sample = Callable[[], None]
"""A function that sets gauges to their current values."""

log = logging.getLogger(__name__)

shared_values.install()
# The creation times of counters would double the number of series.
disable_created_metrics()  # type: ignore[no-untyped-call]  # the library has no types there


def exposition() -> bytes:
    """Return the metrics in the text format of Prometheus, for this process or for all that share their metrics."""
    flush_metrics()
    folder = os.environ.get(SHARED)
    if not folder:
        return generate_latest(EarlierNames(REGISTRY))
    remove_dead_processes(Path(folder))
    registry = CollectorRegistry()
    SharedMetricsCollector(registry, path=folder)  # type: ignore[no-untyped-call]  # the library has no types there
    return generate_latest(EarlierNames(registry))


class PacedText:
    """Renders a text on request, with at most a tenth of the time of the event loop, in bursts of 200 ms.

    Above that limit it returns the previous text, so that a flood of requests for metrics does not block other work.
    `clock`: a clock in seconds.
    """

    def __init__(self, render: Callable[[], bytes], clock: Callable[[], float] = time.monotonic) -> None:
        self._render = render
        self._clock = clock
        self._text: bytes | None = None
        self._owed_s = 0.0
        self._updated_s = clock()

    def text(self) -> bytes:
        """Return the rendered text, or the previous one above the limit."""
        began_s = self._clock()
        self._owed_s = max(self._owed_s - (began_s - self._updated_s) * _PART, 0.0)
        self._updated_s = began_s
        if self._text is None or self._owed_s < _BURST_S:
            self._text = self._render()
            self._owed_s += self._clock() - began_s
        return self._text


def metrics_endpoint(headers_of: HeadersOf, samples: Sequence[Sample]) -> Blueprint:
    """Return the endpoint `/metrics`. It calls `samples` before each rendering."""
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
                # The log gets one line, not one for each request.
                logged.add(reason)
                extra = {"file": error.filename, "error": error.strerror}
                log.error("metrics file unreadable", extra=extra)  # noqa: TRY400  (the fields have the reason)
            return problem(500, f"{reason}: see the log for its name", headers_of(request))

    return routes


if not TYPE_CHECKING:  # (a type checker would allow any name)
    __getattr__ = deprecated_names(__name__, {"Paced": "PacedText"})
