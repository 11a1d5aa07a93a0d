"""Positions of systems: a grid of staggered rows with jitter, wider than high, so that systems are well spaced at every
size.

Homes have equal distances in the grid. The cells around each home are copies of one pattern, so that all homes have the
same neighbours at the same distances. The pattern is mirrored on odd rows, because they are staggered the other way.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sector.world import rng

_CELL_WIDTH, _CELL_HEIGHT, _JITTER = 9, 8, 5
_STREAM_X, _STREAM_Y = 1, 2
_WIDEST = 2
"""How many cells around a home, in each direction, are copies of the pattern if there is room."""

ALIKE_TICKS = {0: 0, 1: 11, 2: 19}
"""For each number of such cells, the distance in ticks within which no other system can be."""


@dataclass(frozen=True, slots=True)
class Placement:
    """The positions of n systems, with h homes.

    Attributes:
        x: int32[n], coordinates.
        y: int32[n], coordinates.
        columns: The number of cells in a row of the grid. System i is in the cell (i // columns, i % columns), so that near
            systems need no search.
        home: int32[h], systems.
        alike: How many cells around each home, in each direction, are copies of those around the first home.
    """

    x: NDArray[np.int32]
    y: NDArray[np.int32]
    columns: int
    home: NDArray[np.int32]
    alike: int

    def copies(self, values: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return a copy of `values`, int64[n], in which the values around each home are those around the first home."""
        return _copied(values, self.home, self.columns, self.alike)[0]


def place(seed: int, count: int, homes: int) -> Placement:
    """Return the positions of `count` systems with `homes` homes. The distance of any two systems is at least 4."""
    columns = _columns(count)
    home, alike = _home_cells(count, columns, homes)
    jitter_x, mirrored = _copied(rng.integers(seed, _STREAM_X, count, _JITTER), home, columns, alike)
    jitter_y, _ = _copied(rng.integers(seed, _STREAM_Y, count, _JITTER), home, columns, alike)
    row, column = np.divmod(np.arange(count), columns)
    jitter_x = np.where(mirrored, _JITTER - 1 - jitter_x, jitter_x)
    x = column * _CELL_WIDTH + (row % 2) * (_CELL_WIDTH // 2) + jitter_x
    y = row * _CELL_HEIGHT + jitter_y
    return Placement(x.astype(np.int32), y.astype(np.int32), columns, home, alike)


def distance(dx: NDArray[np.int64], dy: NDArray[np.int64]) -> NDArray[np.int32]:
    """Return the Euclidean distance, rounded up, at least 1.

    The result is the same on every machine, because IEEE 754 requires a correctly rounded square root.
    """
    return np.maximum(np.ceil(np.sqrt((dx * dx + dy * dy).astype(np.float64))), 1).astype(np.int32)


def _columns(count: int) -> int:
    """Return the number of cells in a row: about 1.5 times the number of rows, so that the last row is nearly full."""
    wished = math.sqrt(1.5 * count)
    candidates = range(math.ceil(0.9 * wished), math.ceil(1.15 * wished) + 1)
    return min(candidates, key=lambda columns: (-count % columns, abs(columns - wished)))


def _home_cells(count: int, columns: int, homes: int) -> tuple[NDArray[np.int32], int]:
    """Return the cells of the homes, in rows with equal distances, and how many cells around each home have room for
    copies.
    """
    rows = count // columns
    across, down = _blocks(columns, rows, homes)
    if across > columns or down > rows:
        return (np.arange(homes) * count // homes).astype(np.int32), 0
    wide, high = columns // across, rows // down
    left, top = (columns - 1 - (across - 1) * wide) // 2, (rows - 1 - (down - 1) * high) // 2
    right, bottom = columns - 1 - left - (across - 1) * wide, rows - 1 - top - (down - 1) * high
    line, place = np.divmod(np.arange(homes), across)
    # A last row that is not full is centred, so that its homes are as near to other homes as the rest.
    in_line = np.minimum(homes - line * across, across)
    cell = (top + line * high) * columns + left + place * wide + (across - in_line) * wide // 2
    room = min((wide - 1) // 2, (high - 1) // 2, left, top, right, bottom, _WIDEST)
    return cell.astype(np.int32), room


def _blocks(columns: int, rows: int, homes: int) -> tuple[int, int]:
    """Return how many blocks, across and down, the grid is divided into. Each home gets a block that is nearly square."""
    width, height = columns * _CELL_WIDTH, max(rows, 1) * _CELL_HEIGHT

    def stretched(across: int) -> float:
        down = -(-homes // across)
        return abs(math.log(width * down / (height * across))) + (across * down - homes) / homes

    across = min(range(1, homes + 1), key=stretched)
    return across, -(-homes // across)


def _copied(
    values: NDArray[np.int64], home: NDArray[np.int32], columns: int, alike: int
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Return `values` with those around each home copied from the first home, and which of them were mirrored."""
    copied, mirrored = values.copy(), np.zeros(len(values), np.bool_)
    odd = (home // columns) % 2 != (home[0] // columns) % 2
    for down in range(-alike, alike + 1):
        for right in range(-alike, alike + 1):
            cell = home + down * columns + np.where(odd, -right, right)
            copied[cell] = values[home[0] + down * columns + right]
            mirrored[cell] = odd
    return copied, mirrored
