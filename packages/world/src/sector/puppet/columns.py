"""Steps on sorted columns that planning is made of."""

import numpy as np
from numpy.typing import NDArray


def segments(key: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return where each run of equal keys begins in a sorted column."""
    if not len(key):
        return np.empty(0, np.int64)
    return np.flatnonzero(np.concatenate(([True], key[1:] != key[:-1])))


def least_of_each(key: NDArray[np.int64], *cost: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the place of the least entry of each key, compared by the costs, first to last."""
    order = np.lexsort((*reversed(cost), key))
    return order[segments(key[order])]


def sums_of_each(key: NDArray[np.int64], values: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    """Return the sum of the values of each key below `count`, int64[count]."""
    total = np.zeros(count, np.int64)
    np.add.at(total, key, values)
    return total


def ranges(first: NDArray[np.int64], last: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return all numbers from first[i] up to last[i], one range after another."""
    length = last - first
    before = np.cumsum(length) - length
    return np.repeat(first - before, length) + np.arange(int(length.sum()))
