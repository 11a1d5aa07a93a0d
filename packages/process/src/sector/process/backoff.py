"""Pauses between retries: they double up to a bound, and are jittered, so that those who failed together do not return together."""

import random
from collections.abc import Iterator


def backoff(*, first_s: float = 0.05, most_s: float = 2.0) -> Iterator[float]:
    """Yield pauses in seconds, without end. Source: M. Brooker, "Exponential Backoff And Jitter", 2015."""
    bound = first_s
    while True:
        yield random.uniform(bound / 2, bound)  # noqa: S311  # nosec B311  # nothing secret
        bound = min(bound * 2, most_s)
