"""The search for the breakpoint: the highest load that meets the objectives."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Step:
    """A measured step: users, requests per second, p99 in ms, and failed requests."""

    users: int
    a_second: float
    p99_ms: float
    failed: int

    def holds(self, max_ms: float) -> bool:
        """Return whether the step is within the limit."""
        return self.failed == 0 and self.a_second > 0 and self.p99_ms <= max_ms


@dataclass(slots=True)
class Search:
    """Doubles the users until there are too many, then bisects to a tenth. `most` is the maximum."""

    max_ms: float
    most: int
    steps: list[Step] = field(default_factory=list)

    @property
    def best(self) -> Step | None:
        """The highest rate that met the objectives."""
        return max(
            (each for each in self.steps if each.holds(self.max_ms)), key=lambda each: each.a_second, default=None
        )

    def next(self) -> int | None:
        """Return the users of the next step; None when the search is complete."""
        held = max((each.users for each in self.steps if each.holds(self.max_ms)), default=0)
        broke = min((each.users for each in self.steps if not each.holds(self.max_ms)), default=0)
        if not self.steps:
            return min(8, self.most)
        if not broke:
            return None if held >= self.most else min(2 * held, self.most)
        if broke <= 1 or broke - held <= max(1, held // 10):
            return None
        return (held + broke) // 2
