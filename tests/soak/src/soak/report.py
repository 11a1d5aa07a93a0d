"""The report of a soak test: counts, latency outside fault windows, memory slopes, and objectives."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from soak.memory import MemorySamples, Slope
from soak.users import Sample, UserLog

type Window = tuple[float, float]
"""From a fault until its effects are over, on the monotonic clock in seconds."""

P99_S: Mapping[str, float] = {"acknowledged": 0.25, "outcome": 2.0, "seen": 1.0, "heard": 1.0}
"""Objectives in seconds: acknowledgement and outcome of an order, and delivery of a tick to page and stream."""
MAX_MB_PER_HOUR = 12.0


def outside(samples: Sequence[Sample], windows: Sequence[Window]) -> Mapping[str, list[float]]:
    """Return the durations by kind, of samples that began and ended outside all windows."""
    durations: dict[str, list[float]] = {kind: [] for kind in P99_S}
    ordered, ends = sorted(windows), -math.inf
    merged: list[Window] = []
    for start, end in ordered:
        if start <= ends and merged:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
        ends = merged[-1][1]
    at = 0
    for sample in sorted(samples, key=lambda each: each.at_s):
        while at < len(merged) and merged[at][1] < sample.at_s:
            at += 1
        if at == len(merged) or sample.at_s + sample.took_s < merged[at][0]:
            durations[sample.kind].append(sample.took_s)
    return durations


def p99(values: Sequence[float]) -> float:
    """Return the 99th percentile."""
    return sorted(values)[math.ceil(len(values) * 0.99) - 1] if values else math.nan


@dataclass(frozen=True, slots=True)
class Report:
    """One soak test.

    `start_s` is on the monotonic clock. `wrong` lists unexpected exits and responses.
    """

    start_s: float
    seconds: float
    windows: Sequence[Window]
    faults: Mapping[str, int]
    log: UserLog
    ticks: int
    took_s: Mapping[str, list[float]]
    held: MemorySamples
    slopes: Mapping[str, Slope]
    wrong: Sequence[str]

    def lines(self) -> list[tuple[str, str, bool]]:
        """Return each objective, the measured value, and whether it is met."""
        log = self.log
        objectives = [
            (
                "acknowledged orders without an outcome: none",
                f"{len(log.open)} of {log.acknowledged}",
                not log.open,
            ),
            ("what must not be: nothing", f"{len(self.wrong) + len(log.wrong)}", not (self.wrong or log.wrong)),
        ]
        for kind, max_s in P99_S.items():
            value = p99(self.took_s[kind])
            what = f"{kind}, outside of faults: p99 of at most {max_s * 1000:.0f} ms"
            objectives.append((what, f"{value * 1000:.0f} ms of {len(self.took_s[kind])}", value <= max_s))
        for name, slope in sorted(self.slopes.items()):
            what = f"memory of {name}: at most {MAX_MB_PER_HOUR:g} MB/h more"
            measured = f"{slope.mb_an_hour:+.1f} MB/h, {slope.last_mb:.0f} MB"
            objectives.append(
                (what, f"{measured} after {slope.over_s / 60:.0f} min", slope.mb_an_hour <= MAX_MB_PER_HOUR)
            )
        return objectives

    @property
    def windowed_s(self) -> float:
        """The seconds that were in fault windows."""
        within, until_s = 0.0, self.start_s
        for began_s, ended_s in sorted(self.windows):
            within += max(min(ended_s, self.start_s + self.seconds) - max(began_s, until_s), 0)
            until_s = max(until_s, ended_s)
        return within

    @property
    def holds(self) -> bool:
        """Whether all objectives are met."""
        return all(met for *_, met in self.lines())

    def text(self) -> str:
        """Return the report as text."""
        log = self.log
        head = [
            f"{self.seconds:.0f} s, {sum(self.faults.values())} faults, {self.windowed_s:.0f} s of it in their windows",
            *(f"  {count:5}  {kind}" for kind, count in sorted(self.faults.items())),
            f"orders: {log.acknowledged} acknowledged, {log.applied} applied, {log.rejected} rejected by the rules",
            f"ticks: {self.ticks}; seen {log.ticks} times",
        ]
        width = max(len(what) for what, *_ in self.lines())
        rows = [
            f"  {what.ljust(width)}  {value:>34}  {'met' if met else 'NOT MET'}" for what, value, met in self.lines()
        ]
        wrong = [f"  {each}" for each in [*self.wrong, *log.wrong][:20]]
        return "\n".join([*head, "objectives", *rows, *wrong])
