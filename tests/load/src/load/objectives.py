"""Objectives of a load test, and their report."""

from collections.abc import Iterator
from dataclasses import dataclass

from locust.stats import RequestStats, StatsEntry

from load.user import REQUEST, STREAM, WORLD


@dataclass(frozen=True, slots=True)
class Objective:
    """An objective, the measured value, and whether it is met."""

    what: str
    measured: str
    met: bool


def merged(stats: RequestStats, kind: str) -> StatsEntry:
    """Return the merged statistics of all requests of a kind."""
    total = StatsEntry(stats, kind, kind)
    for each in stats.entries.values():
        if each.method == kind:
            total.extend(each)
    return total


def objectives(
    stats: RequestStats, *, p99_ms: float, seen_ms: float, failures_percent: float, outcome_ticks: int, crashed: int
) -> Iterator[Objective]:
    """Yield each objective with its result. An unmeasured one is missed. `crashed`: tasks that ended with an unexpected exception."""
    requests, outcomes, stream = merged(stats, REQUEST), merged(stats, WORLD), merged(stats, STREAM)
    percent = 100 * requests.fail_ratio
    failures = f"{requests.num_failures} of {requests.num_requests}"
    yield Objective(
        f"requests that fail: at most {failures_percent:g} %",
        failures,
        requests.num_requests > 0 and percent <= failures_percent,
    )
    took_ms = requests.get_response_time_percentile(0.99)
    yield Objective(f"requests: p99 of at most {p99_ms:g} ms", f"{took_ms:g} ms", took_ms <= p99_ms)
    if outcomes.num_requests:
        what = f"acknowledged orders without an outcome within {outcome_ticks} ticks: none"
        yield Objective(what, f"{outcomes.num_failures} of {outcomes.num_requests}", not outcomes.num_failures)
    if stream.num_requests:
        yield Objective(
            "missed, duplicated or late ticks in streams: none",
            f"{stream.num_failures} of {stream.num_requests}",
            not stream.num_failures,
        )
        took_ms = stream.get_response_time_percentile(0.99)
        yield Objective(
            f"from commit to delivery: p99 of at most {seen_ms:g} ms", f"{took_ms:g} ms", took_ms <= seen_ms
        )
    if crashed:
        yield Objective("tasks with an unexpected exception: none", str(crashed), False)


def format_objectives(measured: list[Objective]) -> str:
    """Return the objectives as text."""
    width = max(len(each.what) for each in measured)
    lines = [
        f"  {each.what.ljust(width)}  {each.measured:>16}  {'met' if each.met else 'NOT MET'}" for each in measured
    ]
    return "\n".join(["", "Objectives", *lines, ""])
