"""Backoff between retries, and waits that end when the process stops."""

import asyncio
import random
from collections.abc import Iterator


def backoff(*, first_s: float = 0.05, max_s: float = 2.0) -> Iterator[float]:
    """Yield pauses in seconds, without end. They double up to `max_s`, with jitter.

    The jitter distributes the retries of clients that failed at the same time. Source: M. Brooker, "Exponential Backoff
    And Jitter", 2015.
    """
    bound_s = first_s
    while True:
        yield random.uniform(bound_s / 2, bound_s)  # noqa: S311  # nosec B311  # not for a secret
        bound_s = min(bound_s * 2, max_s)


async def wait_for_stop(stop: asyncio.Event, seconds: float) -> bool:
    """Wait until `stop` is set, at most `seconds`. Return whether it is set."""
    if seconds <= 0:
        await asyncio.sleep(0)
        return stop.is_set()
    try:
        async with asyncio.timeout(seconds):
            return await stop.wait()
    except TimeoutError:
        return False
