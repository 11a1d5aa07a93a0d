"""Counting what comes often: it is noted at once, and counted soon, many at a time.

What counts is then in the processor's cache, where between two requests it is not: docs/project/performance.md has what that saves.
"""

import asyncio
from collections.abc import Callable

_WITHIN_S = 0.1
_MOST = 1024

_noted: list[tuple[Callable[..., object], object]] = []


def count_soon[T](count: Callable[[T], object], what: T) -> None:
    """Call `count` with `what` within a tenth of a second, or when somebody asks for the counts. It is for an event loop's thread."""
    if not _noted:
        asyncio.get_running_loop().call_later(_WITHIN_S, count_now)
    _noted.append((count, what))
    if len(_noted) >= _MOST:
        count_now()


def count_now() -> None:
    """Count what is noted. What cannot be counted is raised once, and not tried again."""
    noted = _noted[:]
    _noted.clear()
    for count, what in noted:
        count(what)
