"""Pace: the period of the ticks. A late tick is counted, and not made up for by a burst."""

import time
from collections.abc import Callable


class Pace:
    """Deadlines `period_s` apart, on a monotonic clock in seconds."""

    def __init__(self, period_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._period_s = period_s
        self._clock = clock
        self._due_s = clock()
        self.late = 0

    def until_next(self) -> float:
        """Return the seconds until the next tick is due, and move on to it."""
        now_s = self._clock()
        self._due_s += self._period_s
        if self._due_s < now_s and self._period_s > 0:
            self.late += 1
        self._due_s = max(self._due_s, now_s)
        return self._due_s - now_s
