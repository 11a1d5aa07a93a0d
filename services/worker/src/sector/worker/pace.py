"""Pace: the period of the ticks. A late tick is counted, and not made up for by a burst."""

import random
import time
from collections.abc import Callable


class Pace:
    """Deadlines `period_s` apart, on a monotonic clock in seconds. The first is at once, the second after `phase_s`."""

    def __init__(
        self, period_s: float, clock: Callable[[], float] = time.monotonic, *, phase_s: float | None = None
    ) -> None:
        self._period_s = period_s
        self._clock = clock
        self._due_s = clock() + (0.0 if phase_s is None else phase_s - period_s)
        self.late = 0
        self.late_s = 0.0
        """How late the next tick is already, in seconds."""

    @classmethod
    def spread(cls, period_s: float) -> "Pace":
        """Return a pace of a random phase: sims that were taken together are not to tick together."""
        return cls(period_s, phase_s=random.uniform(0, period_s))  # noqa: S311  # nosec B311  # nothing secret

    def until_next(self) -> float:
        """Return the seconds until the next tick is due, and move on to it."""
        now_s = self._clock()
        self._due_s += self._period_s
        self.late_s = max(now_s - self._due_s, 0.0) if self._period_s > 0 else 0.0
        self.late += self.late_s > 0
        self._due_s = max(self._due_s, now_s)
        return self._due_s - now_s
