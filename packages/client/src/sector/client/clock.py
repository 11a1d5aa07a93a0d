"""The clock that retries wait by. Tests pass another one, so that they do not wait."""

import asyncio
import time
from typing import Protocol


class Clock(Protocol):
    """A monotonic clock, and a sleep."""

    def now_s(self) -> float:
        """Return the time in seconds, from any zero, never going back."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Return after so many seconds."""
        ...


class SystemClock:
    """The machine's monotonic clock."""

    def now_s(self) -> float:
        """Return `time.monotonic()`."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Wait in the running event loop."""
        await asyncio.sleep(seconds)
