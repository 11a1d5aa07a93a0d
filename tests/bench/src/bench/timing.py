"""Timing: the compared functions run in turn, so that other load on the machine affects all of them."""

import statistics
import time
from collections.abc import Callable, Mapping

_LEAST_S = 0.02
"""A sample is repeated until it takes this long in seconds, so that the cost of clock and call is negligible."""


def interleaved(calls: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, list[float]]:
    """Return the seconds that each call took in each round. The calls run in turn."""
    repeats = {name: _repeats(call) for name, call in calls.items()}
    samples: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(rounds):
        for name, call in calls.items():
            samples[name].append(_seconds(call, repeats[name]))
    return samples


def _repeats(call: Callable[[], object]) -> int:
    call()
    return max(1, round(_LEAST_S / max(_seconds(call, 1), 1e-7)))


def _seconds(call: Callable[[], object], repeats: int) -> float:
    start = time.perf_counter()
    for _ in range(repeats):
        call()
    return (time.perf_counter() - start) / repeats


def ratios(over: list[float], under: list[float]) -> tuple[float, float, float]:
    """Return the median, minimum and maximum of the ratios per round: the speed of a machine changes."""
    each = [a / b for a, b in zip(over, under, strict=True)]
    return statistics.median(each), min(each), max(each)


def ms(samples: list[float]) -> str:
    """Return the median as text, in milliseconds."""
    return f"{statistics.median(samples) * 1000:.3g} ms"


def us(samples: list[float]) -> str:
    """Return the median as text, in microseconds."""
    return f"{statistics.median(samples) * 1e6:.0f} µs"
