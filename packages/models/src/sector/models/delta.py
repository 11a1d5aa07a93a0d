"""Deltas: the difference between two consecutive snapshots. Applying one needs no knowledge of the world.

A delta is a frame of kind `delta`. Its meta is the meta of the later snapshot. For a table `t` of the snapshot it may contain, in the
order of their application:

- `t.changed`: a column `row` with row numbers, and the new values of changed columns. Without `row` it has values for all rows.
- `t.removed`: a column `id` with the ids of the removed rows.
- `t.added`: complete rows, which are appended.

Columns may have narrower integers than the snapshot, but not wider ones. The digest of the result is the state hash of the later
snapshot.
"""

from collections.abc import Callable, Mapping
from itertools import compress

import numpy as np
from numpy.typing import NDArray

from sector.models.frame import Column, Frame, Table


class DeltaError(ValueError):
    """A delta that does not fit the snapshot that it is applied to."""


def tick_of(frame: Frame) -> int:
    """Return the tick of a snapshot, or the tick after a delta. Raises DeltaError if the frame has none."""
    tick = frame.meta.get("tick")
    if not isinstance(tick, int) or isinstance(tick, bool):
        raise DeltaError(f"a {frame.kind} has no tick")
    return tick


def apply_delta(snapshot: Frame, delta: Frame) -> Frame:
    """Return the snapshot after `delta`. It shares unchanged columns with `snapshot`.

    Raises DeltaError if the delta does not follow the snapshot.
    """
    if tick_of(delta) != tick_of(snapshot) + 1:
        raise DeltaError(f"a delta to tick {tick_of(delta)} does not follow tick {tick_of(snapshot)}")
    tables = dict(snapshot.tables)
    for verb, change in _CHANGES.items():
        for name, part in delta.tables.items():
            table_name, _, what = name.rpartition(".")
            if what not in _CHANGES:
                raise DeltaError(f"{name}: the change is none of changed, removed and added")
            if table_name not in tables:
                raise DeltaError(f"{name}: the snapshot has no table {table_name}")
            if what == verb:
                tables[table_name] = change(name, tables[table_name], part)
    return Frame("snapshot", delta.meta, tables)


def _change_rows(name: str, table: Table, part: Table) -> Table:
    rows = _rows(name, table, part)
    columns = dict(table.columns)
    for column_name in part.columns.keys() - {"row"}:
        old, new = _align(name, table, part, column_name)
        values = old.copy()
        values[rows] = new
        columns[column_name] = _with(table.columns[column_name], values)
    return Table(table.rows, columns, table.labels, table.prefix)


def _rows(name: str, table: Table, part: Table) -> NDArray[np.int64] | slice:
    """Return the row numbers that a part of a delta changes, int64 of shape (rows of the part,), or a slice of all
    rows.
    """
    if "row" not in part.columns:
        if part.rows != table.rows:
            raise DeltaError(f"{name}: it has {part.rows} rows, and the table {table.rows}")
        return slice(None)
    rows = _values(name, part, "row").astype(np.int64)
    if len(rows) and not 0 <= rows.min() <= rows.max() < table.rows:
        raise DeltaError(f"{name}: rows {rows.min()} to {rows.max()} are outside the table of {table.rows} rows")
    return rows


def _remove_rows(name: str, table: Table, part: Table) -> Table:
    is_removed = np.isin(_values(name, table, "id"), _values(name, part, "id"), assume_unique=True)
    remaining = np.flatnonzero(~is_removed)
    if len(remaining) + part.rows != table.rows:
        raise DeltaError(f"{name}: it removes rows that the table does not have")
    columns = {each: _with(column, np.asarray(column.values).take(remaining)) for each, column in table.columns.items()}
    labels = {each: tuple(compress(texts, (~is_removed).tolist())) for each, texts in table.labels.items()}
    return Table(len(remaining), columns, labels, table.prefix)


def _add_rows(name: str, table: Table, part: Table) -> Table:
    if part.columns.keys() != table.columns.keys() or part.labels.keys() != table.labels.keys():
        raise DeltaError(f"{name}: its columns are not those of the table")
    columns = {
        each: _with(column, np.concatenate(_align(name, table, part, each))) for each, column in table.columns.items()
    }
    labels = {each: (*texts, *part.labels[each]) for each, texts in table.labels.items()}
    return Table(table.rows + part.rows, columns, labels, table.prefix)


_CHANGES: Mapping[str, Callable[[str, Table, Table], Table]] = {
    "changed": _change_rows,
    "removed": _remove_rows,
    "added": _add_rows,
}
"""What each part of a delta does to its table, in the order of application."""


def _values(name: str, table: Table, column: str) -> NDArray[np.generic]:
    if column not in table.columns:
        raise DeltaError(f"{name}: column {column} is missing")
    return np.asarray(table.columns[column].values)


def _align(name: str, table: Table, part: Table, column: str) -> tuple[NDArray[np.generic], NDArray[np.generic]]:
    """Return the values of a column in the table and in the part, both with the dtype of the table."""
    old, new = _values(name, table, column), _values(name, part, column)
    if not np.can_cast(new.dtype, old.dtype):
        raise DeltaError(f"{name}: {column} has the type {new.dtype}, and the table {old.dtype}")
    return old, new


def _with(column: Column, values: NDArray[np.generic]) -> Column:
    return Column(memoryview(values), column.refers_to, column.prefix)
