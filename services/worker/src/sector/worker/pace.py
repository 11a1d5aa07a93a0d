"""Pace: the period of the ticks. A late tick is counted, and not made up for by a burst."""

import time


class Pace:
    """Deadlines `period_s` apart, on the monotonic clock."""

    def __init__(self, period_s: float) -> None:
        self._period_s = period_s
        self._due_s = time.monotonic()
        self.late = 0

    def until_next(self) -> float:
        """Return the seconds until the next tick is due, and move on to it."""
        now_s = time.monotonic()
        self._due_s += self._period_s
        if self._due_s < now_s and self._period_s > 0:
            self.late += 1
        self._due_s = max(self._due_s, now_s)
        return self._due_s - now_s
