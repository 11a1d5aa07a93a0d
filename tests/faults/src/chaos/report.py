"""The report of a run."""

import math
import statistics
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from chaos.checker import Violation
from chaos.faults import EndedHolder
from chaos.sim_history import SimHistory


@dataclass(frozen=True, slots=True)
class Takeovers:
    """The durations of takeovers in ms: from the signal that ended a worker to the next tick, by another worker."""

    ms: tuple[int, ...]

    @property
    def median(self) -> float:
        return statistics.median(self.ms)

    @property
    def p99(self) -> float:
        """The 99th percentile, or the maximum of fewer than a hundred."""
        return sorted(self.ms)[math.ceil(len(self.ms) * 0.99) - 1]


def takeovers(sims: Sequence[SimHistory], ended: Sequence[EndedHolder]) -> Mapping[str, Takeovers]:
    """Return the durations by kind of fault, without ends that another worker did not take over."""
    takeover_times: dict[str, list[int]] = {}
    for end in ended:
        ticks = next(sim.ticks for sim in sims if sim.sim_id == end.sim_id)
        before = max((tick.epoch for tick in ticks if tick.at_ms <= end.at_ms), default=0)
        after = next((tick for tick in ticks if tick.epoch > before and tick.at_ms >= end.at_ms), None)
        if after is not None:
            takeover_times.setdefault(end.kind, []).append(after.at_ms - end.at_ms)
    return {kind: Takeovers(tuple(each)) for kind, each in takeover_times.items()}


@dataclass(frozen=True, slots=True)
class Report:
    """One run. `wrong`: unexpected exits and responses; `recomputed`: ticks lost in a failover and computed again."""

    topology: str
    seed: int
    seconds: float
    faults: Mapping[str, int]
    acknowledged: int
    unknown: int
    ticks: int
    recomputed: int
    takeovers: Mapping[str, Takeovers]
    violations: Sequence[Violation]
    wrong: Sequence[str]

    @property
    def holds(self) -> bool:
        """Whether no promise was broken."""
        return not self.violations and not self.wrong

    def broken(self) -> Counter[str]:
        """Return how often each promise was broken."""
        return Counter(promise for promise, _ in self.violations)

    def text(self) -> str:
        """Return the report as text."""
        broken = self.broken()
        lines = [f"{self.topology}, seed {self.seed}, {self.seconds:.0f} s: {sum(self.faults.values())} faults"]
        lines += [f"  {count:5}  {kind}" for kind, count in sorted(self.faults.items())]
        lines += [
            f"orders: {self.acknowledged} acknowledged, {broken['lost']} lost, {broken['duplicated']} duplicated;"
            f" {self.unknown} without an answer",
            f"ticks: {self.ticks}, of which {self.recomputed} were recomputed after a failover",
        ]
        for kind, each in sorted(self.takeovers.items()):
            lines.append(
                f"takeover after {kind}: {len(each.ms)} times, median {each.median:.0f} ms, p99 {each.p99:.0f} ms"
            )
        if self.holds:
            return "\n".join([*lines, "all promises held"])
        shown = [*(f"{promise}: {words}" for promise, words in self.violations), *self.wrong]
        more = [f"  and {len(shown) - 20} more"] if len(shown) > 20 else []
        return "\n".join(
            [
                *lines,
                f"BROKEN: {len(shown)} (repeat with --seed {self.seed} --redis {self.topology}; --logs DIR keeps the logs)",
                *(f"  {each}" for each in shown[:20]),
                *more,
            ]
        )
