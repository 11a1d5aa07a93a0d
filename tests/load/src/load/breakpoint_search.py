"""The search for the breakpoint: the highest load that holds."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Step:
    """A step that was measured: so many users, the requests a second that they made, the p99 in ms, and how many failed."""

    users: int
    a_second: float
    p99_ms: float
    failed: int

    def holds(self, max_ms: float) -> bool:
        """Say whether it is within the bound."""
        return self.failed == 0 and self.a_second > 0 and self.p99_ms <= max_ms


@dataclass(slots=True)
class Search:
    """Doubles the users until they are too many, then halves the distance until it is a tenth. `most`: never more than that."""

    max_ms: float
    most: int
    steps: list[Step] = field(default_factory=list)

    @property
    def best(self) -> Step | None:
        """The highest rate that held."""
        return max(
            (each for each in self.steps if each.holds(self.max_ms)), key=lambda each: each.a_second, default=None
        )

    def next(self) -> int | None:
        """Return how many users the next step has; None where all is known."""
        held = max((each.users for each in self.steps if each.holds(self.max_ms)), default=0)
        broke = min((each.users for each in self.steps if not each.holds(self.max_ms)), default=0)
        if not self.steps:
            return min(8, self.most)
        if not broke:
            return None if held >= self.most else min(2 * held, self.most)
        if broke <= 1 or broke - held <= max(1, held // 10):
            return None
        return (held + broke) // 2
