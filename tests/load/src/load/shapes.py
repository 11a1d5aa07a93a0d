"""Shapes: how many users there are at a time."""

import math
from collections.abc import Callable, Mapping

type Users = int
type Shape = Callable[[float, float, Users], Users]
"""Parameters: seconds since the start, duration in seconds, and maximum of users."""


def steady(_: float, __: float, most: Users) -> Users:
    """All users for the whole time."""
    return most


def ramp(at_s: float, run_s: float, most: Users) -> Users:
    """Evenly up to the end."""
    return max(1, math.ceil(most * min(at_s / run_s, 1.0)))


def spike(at_s: float, run_s: float, most: Users) -> Users:
    """A tenth, and all of them for a fifth of the time in the middle."""
    return most if 0.4 <= at_s / run_s < 0.6 else max(1, math.ceil(most / 10))


def soak(at_s: float, run_s: float, most: Users) -> Users:
    """Up in the first tenth, then all of them."""
    return ramp(at_s, run_s / 10, most)


SHAPES: Mapping[str, Shape] = {"steady": steady, "ramp": ramp, "spike": spike, "soak": soak}
TIMED = frozenset({"ramp", "spike", "soak"})
"""Shapes that need the duration of the run."""
