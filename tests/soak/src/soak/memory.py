"""Memory of each process over time, and its slope."""

import os
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(slots=True)
class MemorySamples:
    """Resident memory by process name and id: seconds since the start, and MB."""

    by_process: dict[tuple[str, int], list[tuple[float, float]]] = field(default_factory=dict)

    def take(self, at_s: float, processes: Mapping[str, int]) -> None:
        """Sample the memory of the processes."""
        for name, process_id in processes.items():
            if (size := resident_mb(process_id)) is not None:
                self.by_process.setdefault((name, process_id), []).append((at_s, size))

    def slopes(self, least_s: float, settled_s: float) -> Mapping[str, "Slope"]:
        """Return the slope of each process that lived for `least_s`, without its first `settled_s`; the longest by name."""
        slopes: dict[str, Slope] = {}
        for (name, _), points in self.by_process.items():
            settled = [point for point in points if point[0] >= points[0][0] + settled_s]
            if len(settled) < 3 or settled[-1][0] - settled[0][0] < least_s:
                continue
            slope = Slope.of(settled)
            if name not in slopes or slope.over_s > slopes[name].over_s:
                slopes[name] = slope
        return slopes


@dataclass(frozen=True, slots=True)
class Slope:
    """The memory growth of a process in MB per hour (median of all slopes), its last memory, and its life.

    Source: H. Theil, "A rank-invariant method of linear and polynomial regression analysis", 1950.
    """

    mb_an_hour: float
    last_mb: float
    over_s: float

    @classmethod
    def of(cls, points: Sequence[tuple[float, float]]) -> "Slope":
        """Return the slope of points of seconds and MB."""
        thinned = points[:: max(1, len(points) // 200)]
        pairs = [(b[1] - a[1]) / (b[0] - a[0]) for number, a in enumerate(thinned) for b in thinned[number + 1 :]]
        return cls(statistics.median(pairs) * 3600, points[-1][1], points[-1][0] - points[0][0])


def resident_mb(process_id: int) -> float | None:
    """Return the memory of a process in MB; None if it has ended."""
    try:
        pages = int(Path(f"/proc/{process_id}/statm").read_text().split()[1])
    except (FileNotFoundError, ProcessLookupError):
        return None
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6
