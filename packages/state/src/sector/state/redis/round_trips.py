"""Metrics of round trips to Redis: their number, latency and errors, by command."""

from typing import TYPE_CHECKING

from prometheus_client import Counter, Histogram

from sector.models.deprecated_names import deprecated_names

_SECONDS = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)

_LATENCY = Histogram(
    "sector_redis_round_trip_seconds",
    "Duration of round trips to Redis, by the first command of the pipeline. XREAD blocks until an entry arrives.",
    ["command"],
    buckets=_SECONDS,
)
_ERRORS = Counter(
    "sector_redis_failures",
    "Failed round trips to Redis, and connections that could not be opened, by exception.",
    ["kind"],
)
_latency_by_command: dict[str, Histogram] = {}


def observe_latency(command: str, seconds: float) -> None:
    """Record the latency of a round trip that succeeded."""
    child = _latency_by_command.get(command)
    if child is None:
        # The number of names is small, because they come from our own code.
        child = _latency_by_command[command] = _LATENCY.labels(command)
    child.observe(seconds)


def count_error(error: Exception) -> None:
    """Count a round trip that failed."""
    _ERRORS.labels(type(error).__name__).inc()


if not TYPE_CHECKING:  # (a type checker would allow any name)
    __getattr__ = deprecated_names(__name__, {"took": "observe_latency", "failed": "count_error"})
