"""Metrics of the process itself, once per second: readiness, conditions, lag of the event loop, and dropped log lines."""

import asyncio
from collections.abc import Sequence

from prometheus_client import Counter, Gauge, Histogram

from sector.process.health import Health
from sector.process.log_stream import LogStream
from sector.process.metric_aliases import deprecate_metrics
from sector.process.metrics import SECONDS, Sample
from sector.process.retry import wait_for_stop
from sector.process.shared_metrics import SHARED
from sector.process.shared_values import shortage

METRICS = "metrics"
"""The condition of a process that shares its metrics with others."""
_LOOK_S = 1.0
_NOT_SHARED = f"{SHARED} has no free space, so /metrics lacks values of this process: free space on its disk"

_READY = Gauge("sector_ready", "1 while this process is ready, else 0.", multiprocess_mode="livemin")
_CONDITION = Gauge(
    "sector_condition",
    "1 while a condition of readiness holds, such as a dependency of this process, else 0.",
    ["condition"],
    multiprocess_mode="livemin",
)
_LAG = Histogram(
    "sector_event_loop_lag_seconds",
    "Delay of a timer of the event loop, measured once per second. It grows while the loop is blocked or has no CPU.",
    buckets=SECONDS,
)
_DROPPED = Counter(
    "sector_log_lines_dropped",
    "Log lines dropped because standard error did not accept them at once: a full or slow disk, a closed pipe,"
    " or a slow reader.",
)

deprecate_metrics({"sector_loop_lag_seconds": "sector_event_loop_lag_seconds"})


def readiness_metrics(health: Health) -> Sample:
    """Return the sample that sets the metrics of readiness and of the conditions."""

    def sample() -> None:
        _READY.set(health.ready)
        for condition, error in health.errors.items():
            _CONDITION.labels(condition).set(error is None)

    return sample


def shared_values(health: Health) -> Sample:
    """Return the sample that reports values of metrics that cannot be shared with other processes."""

    def sample() -> None:
        if error := shortage():
            health.set_error(METRICS, _NOT_SHARED, cause=str(error.strerror), blocks=False)

    return sample


def dropped_lines(stream: LogStream) -> Sample:
    """Return the sample that counts dropped log lines, and reports them in the log when possible."""
    counted = 0

    def sample() -> None:
        nonlocal counted
        stream.flush()
        dropped = stream.dropped
        _DROPPED.inc(dropped - counted)
        counted = dropped

    return sample


async def watch(stop: asyncio.Event, samples: Sequence[Sample]) -> None:
    """Take the samples and measure the lag until `stop` is set."""
    loop = asyncio.get_running_loop()
    while not stop.is_set():
        for sample in samples:
            sample()
        due_s = loop.time() + _LOOK_S
        if not await wait_for_stop(stop, _LOOK_S):
            _LAG.observe(max(loop.time() - due_s, 0.0))
