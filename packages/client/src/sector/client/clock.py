"""The clock of the retries. Tests pass a simulated one, so that they do not wait."""

import asyncio
import time
from typing import Protocol


class Clock(Protocol):
    """The interface of a monotonic clock that can sleep."""

    def now_s(self) -> float:
        """Return the time in seconds since an arbitrary start. It never decreases."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait for this number of seconds."""
        ...


class SystemClock:
    """The machine's monotonic clock."""

    def now_s(self) -> float:
        """Return `time.monotonic()`, in seconds."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Wait in the running event loop, without blocking it."""
        await asyncio.sleep(seconds)
