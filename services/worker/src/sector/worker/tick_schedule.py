"""The schedule of the ticks of a sim. A late tick is counted; no burst of ticks follows to catch up."""

import random
import time
from collections.abc import Callable


class TickSchedule:
    """Deadlines `period_s` apart, on a monotonic clock in seconds. The first is now, the second after `phase_s`."""

    def __init__(
        self, period_s: float, clock: Callable[[], float] = time.monotonic, *, phase_s: float | None = None
    ) -> None:
        self._period_s = period_s
        self._clock = clock
        self._due_s = clock() + (0.0 if phase_s is None else phase_s - period_s)
        self.late = 0
        self.late_s = 0.0
        """How late the next tick is, in seconds."""

    @classmethod
    def with_random_phase(cls, period_s: float) -> "TickSchedule":
        """Return a schedule with a random phase: sims that a worker acquires together should not tick together."""
        return cls(period_s, phase_s=random.uniform(0, period_s))  # noqa: S311  # nosec B311  # nothing secret

    def advance(self) -> float:
        """Advance to the next tick, and return the seconds until it is due."""
        now_s = self._clock()
        self._due_s += self._period_s
        self.late_s = max(now_s - self._due_s, 0.0) if self._period_s > 0 else 0.0
        self.late += self.late_s > 0
        self._due_s = max(self._due_s, now_s)
        return self._due_s - now_s
