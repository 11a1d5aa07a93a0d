"""Counter-based random numbers (SplitMix64) that are the same on every machine and with every version of NumPy.

Source: Steele, Lea, Flood, "Fast Splittable Pseudorandom Number Generators", OOPSLA 2014.
"""

import numpy as np
from numpy.typing import NDArray

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)


def _mix(z: NDArray[np.uint64]) -> NDArray[np.uint64]:
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


def integers(seed: int, stream: int, count: int, below: int) -> NDArray[np.int64]:
    """Return `count` random numbers, int64[count], each in [0, below).

    `stream`: each stream of a seed is independent of its other streams. `below`: less than 2**31.
    """
    start = _mix(_mix(np.array([seed], np.uint64)) + np.array([stream], np.uint64))
    bits = _mix(start + _GOLDEN * np.arange(1, count + 1, dtype=np.uint64))
    # Scaling of the upper 32 bits needs no modulo. Its bias is below 2**-32 * below.
    return ((bits >> np.uint64(32)) * np.uint64(below) >> np.uint64(32)).astype(np.int64)
