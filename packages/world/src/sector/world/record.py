"""Record: the events of a tick as columns, with one table for each type of event.

`sector.models.events` describes the types.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from sector.models.frame import Column, Table

_TEXTS = ("text", "reason", "detail")
_COLUMNS: Mapping[str, tuple[type[np.signedinteger], str | None, str]] = {
    "n": (np.int32, None, ""),
    "of": (np.int32, None, ""),
    "order": (np.int32, "orders", ""),
    "faction": (np.int16, "factions", ""),
    "winner": (np.int16, "factions", ""),
    "loser": (np.int16, "factions", ""),
    "system": (np.int32, None, "S"),
    "target": (np.int32, None, "S"),
    "fleet": (np.int64, None, "F"),
    "ships": (np.int64, None, ""),
    "arrives": (np.int32, None, ""),
}
"""For each column name, its dtype, the table that it refers to, and the prefix of the ids whose numbers it has."""

LONG = 2**10
"""The number of rows from which `narrow` looks for a smaller dtype."""

_WIDTHS: tuple[type[np.signedinteger], ...] = (np.int8, np.int16, np.int32, np.int64)

type Values = NDArray[np.generic] | Sequence[int | str]
type Block = dict[str, Values]


@dataclass(slots=True)
class Record:
    """The events of one tick.

    Orders have the event numbers below the initial `count`, and later events continue from there.

    Phases `defer` their events, so that they are computed only if `tables` is called. A replay does not need them.
    """

    count: int
    _rows: dict[str, list[dict[str, int | str]]] = field(default_factory=dict)
    _blocks: dict[str, list[Block]] = field(default_factory=dict)
    _forces: Block | None = None
    _later: list[Callable[["Record"], None]] = field(default_factory=list)

    def one(self, kind: str, n: int, **fields: int | str) -> None:
        """Add one event: its number and its fields."""
        self._rows.setdefault(kind, []).append({"n": n, **fields})

    def add(self, kind: str, n: NDArray[np.int64], **fields: Values) -> None:
        """Add events of one type: their numbers, int64[k], and a column of k values for each field."""
        self._blocks.setdefault(kind, []).append({"n": n, **fields})

    def extend(self, kind: str, count: int, **fields: Values) -> None:
        """Append `count` events of one type after all events so far."""
        if count:
            self.add(kind, np.arange(self.count, self.count + count), **fields)
            self.count += count

    def forces(self, of: NDArray[np.int64], faction: NDArray[np.int16], ships: NDArray[np.int64]) -> None:
        """Add the forces of the battles of this tick. `of`: the row of the battle of each force, ascending."""
        self._forces = {"of": of, "faction": faction, "ships": ships}

    def defer(self, add_events: Callable[["Record"], None]) -> None:
        """Call `add_events` when `tables` is called, after all other events and in the order of the calls of `defer`."""
        self._later.append(add_events)

    def tables(self) -> tuple[dict[str, Table], dict[str, int]]:
        """Return the table of each type, and the first number of the types whose numbers are consecutive.

        These have no column `n`.
        """
        for add_events in self._later:
            add_events(self)
        self._later.clear()
        blocks = {kind: list(given) for kind, given in self._blocks.items()}
        for kind, rows in self._rows.items():
            blocks.setdefault(kind, []).append({name: [row[name] for row in rows] for name in rows[0]})
        tables: dict[str, Table] = {}
        firsts: dict[str, int] = {}
        for kind, given in blocks.items():
            table = tables[kind] = _table(given)
            numbers = table.columns["n"].values
            if numbers[-1] - numbers[0] == table.rows - 1:
                firsts[kind] = int(numbers[0])
                others = {name: column for name, column in table.columns.items() if name != "n"}
                tables[kind] = Table(table.rows, others, table.labels)
        if self._forces is not None:
            tables["battle.forces"] = _table([self._forces])
        return tables, firsts


def _table(blocks: list[Block]) -> Table:
    order = None
    if len(blocks) > 1:
        order = np.argsort(np.concatenate([block["n"] for block in blocks]), kind="stable")
    columns: dict[str, Column] = {}
    labels: dict[str, tuple[str, ...]] = {}
    rows = 0
    for name in blocks[0]:
        parts = [block[name] for block in blocks]
        if name in _TEXTS:
            texts = [str(text) for part in parts for text in part]
            labels[name] = tuple(texts if order is None else (texts[at] for at in order))
        else:
            values = parts[0] if order is None else np.concatenate(parts)[order]
            dtype, refers_to, prefix = _COLUMNS[name]
            columns[name] = Column(memoryview(narrow(np.ascontiguousarray(values, dtype))), refers_to, prefix)
            rows = len(values)
    return Table(rows, columns, labels)


def narrow(values: NDArray[np.generic]) -> NDArray[np.generic]:
    """Return a long column of integers in the smallest dtype that can hold it, so that frames are smaller."""
    if len(values) < LONG or values.dtype == np.bool_:
        return values
    smallest, largest = int(values.min()), int(values.max())
    width = next(each for each in _WIDTHS if np.iinfo(each).min <= smallest and largest <= np.iinfo(each).max)
    return values.astype(width, copy=False)
