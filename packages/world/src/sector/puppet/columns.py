"""Operations on sorted columns: runs of equal keys, with their minima and sums."""

import numpy as np
from numpy.typing import NDArray


def starts_of_runs(key: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Say for each row of a sorted column whether a run of equal keys starts there: bool[k]."""
    starts = np.empty(len(key), np.bool_)
    starts[:1] = True
    np.not_equal(key[1:], key[:-1], out=starts[1:])
    return starts


def segments(key: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the rows of a sorted column at which a run of equal keys starts."""
    return starts_of_runs(key).nonzero()[0]


def least_of_runs(key: NDArray[np.int64], cost: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the row of the minimal cost in each run of equal keys, or the first of several. `key` is sorted."""
    first = segments(key)
    if not len(first):
        return first
    least = np.minimum.reduceat(cost, first).repeat(np.diff(np.append(first, len(key))))
    place: NDArray[np.int64] = (cost == least).nonzero()[0]
    return place.take(segments(key[place]))


def sums_of_each(key: NDArray[np.int64], values: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    """Return the sum of the values for each key below `count`: int64[count]."""
    total = np.zeros(count, np.int64)
    np.add.at(total, key, values)
    return total


def ranges(first: NDArray[np.int64], end: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the numbers of the ranges first[i] to end[i], exclusive, one range after another."""
    length = end - first
    last = np.cumsum(length)
    return (first - last + length).repeat(length) + np.arange(int(last[-1]) if len(last) else 0)
