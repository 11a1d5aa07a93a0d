"""Where systems lie: a jittered grid of staggered rows, wider than high, so that they are well spaced at every size."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sector.world import rng

_CELL_WIDTH, _CELL_HEIGHT, _JITTER = 9, 8, 5
_STREAM_X, _STREAM_Y = 1, 2


@dataclass(frozen=True, slots=True)
class Placement:
    """x, y: int32[n]. System i lies in cell (i // columns, i % columns) of the grid: near systems are found by arithmetic."""

    x: NDArray[np.int32]
    y: NDArray[np.int32]
    columns: int


def place(seed: int, count: int) -> Placement:
    """Return the places of `count` systems. Any two are at least 4 apart."""
    columns = math.ceil(math.sqrt(1.5 * count))
    row, column = np.divmod(np.arange(count), columns)
    x = column * _CELL_WIDTH + (row % 2) * (_CELL_WIDTH // 2) + rng.integers(seed, _STREAM_X, count, _JITTER)
    y = row * _CELL_HEIGHT + rng.integers(seed, _STREAM_Y, count, _JITTER)
    return Placement(x.astype(np.int32), y.astype(np.int32), columns)


def distance(dx: NDArray[np.int64], dy: NDArray[np.int64]) -> NDArray[np.int32]:
    """Return the Euclidean distance, rounded up, at least 1. IEEE 754 rounds a square root correctly: the same everywhere."""
    return np.maximum(np.ceil(np.sqrt((dx * dx + dy * dy).astype(np.float64))), 1).astype(np.int32)
