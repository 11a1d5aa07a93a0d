"""Objectives: what must hold of a load, and the verdict."""

from collections.abc import Iterator
from dataclasses import dataclass

from locust.stats import RequestStats, StatsEntry

from load.user import REQUEST, STREAM, WORLD


@dataclass(frozen=True, slots=True)
class Objective:
    """One: what it says, what was measured, and whether it is met."""

    what: str
    measured: str
    met: bool


def merged(stats: RequestStats, kind: str) -> StatsEntry:
    """Return all that was measured of a kind, as one."""
    whole = StatsEntry(stats, kind, kind)
    for each in stats.entries.values():
        if each.method == kind:
            whole.extend(each)
    return whole


def objectives(
    stats: RequestStats, *, p99_ms: float, seen_ms: float, failures_percent: float, outcome_ticks: int, crashed: int
) -> Iterator[Objective]:
    """Yield each with what became of it. What was not measured at all is not met; `crashed`: tasks that ended otherwise than foreseen."""
    asked, applied, seen = merged(stats, REQUEST), merged(stats, WORLD), merged(stats, STREAM)
    percent = 100 * asked.fail_ratio
    found = f"{asked.num_failures} of {asked.num_requests}"
    yield Objective(
        f"requests that fail: at most {failures_percent:g} %",
        found,
        asked.num_requests > 0 and percent <= failures_percent,
    )
    took_ms = asked.get_response_time_percentile(0.99)
    yield Objective(f"requests: p99 of at most {p99_ms:g} ms", f"{took_ms:g} ms", took_ms <= p99_ms)
    if applied.num_requests:
        what = f"acknowledged orders without an outcome within {outcome_ticks} ticks: none"
        yield Objective(what, f"{applied.num_failures} of {applied.num_requests}", not applied.num_failures)
    if seen.num_requests:
        yield Objective(
            "ticks missed, doubled or late in streams: none",
            f"{seen.num_failures} of {seen.num_requests}",
            not seen.num_failures,
        )
        took_ms = seen.get_response_time_percentile(0.99)
        yield Objective(f"from commit to seen: p99 of at most {seen_ms:g} ms", f"{took_ms:g} ms", took_ms <= seen_ms)
    if crashed:
        yield Objective("tasks that end otherwise than foreseen: none", str(crashed), False)


def verdict(found: list[Objective]) -> str:
    """Return them as text."""
    width = max(len(each.what) for each in found)
    lines = [f"  {each.what.ljust(width)}  {each.measured:>16}  {'met' if each.met else 'NOT MET'}" for each in found]
    return "\n".join(["", "Objectives", *lines, ""])
