"""What changed from one state to the next, as the delta frame of `sector.models.delta`."""

import numpy as np
from numpy.typing import NDArray

from sector.models.frame import Column, Frame, Table


def delta_frame(before: Frame, after: Frame, landed: NDArray[np.int64]) -> Frame:
    """Return the delta that leads from the snapshot `before` to `after`. `landed`: ids of fleets that are gone, ascending.

    Tables keep their rows, and get new ones at the end; only fleets are removed.
    """
    tables: dict[str, Table] = {}
    for name, new in after.tables.items():
        old = before.tables[name]
        parts = _fleets(old, new, landed) if name == "fleets" else _rows(old, new)
        tables |= {f"{name}.{verb}": part for verb, part in parts.items() if part.rows}
    return Frame("delta", after.meta, tables)


def _rows(old: Table, new: Table) -> dict[str, Table]:
    return {"changed": _changed(old, new), "added": _tail(new, old.rows)}


def _changed(old: Table, new: Table) -> Table:
    differs = np.zeros(old.rows, bool)
    for name, column in new.columns.items():
        differs |= np.asarray(column.values)[: old.rows] != np.asarray(old.columns[name].values)
    rows = np.flatnonzero(differs)
    if not len(rows):
        return Table(0)
    return Table(len(rows), _take(new, rows) | {"row": Column(memoryview(rows.astype(np.int32)))})


def _fleets(old: Table, new: Table, landed: NDArray[np.int64]) -> dict[str, Table]:
    """Fleets are added at the end, in ascending order of their ids. One that lands as it departs was never there."""
    there = landed[: np.searchsorted(landed, _next(old))]
    return {
        "removed": Table(len(there), {"id": Column(memoryview(there))}),
        "added": _tail(new, old.rows - len(there)),
    }


def _next(fleets: Table) -> int:
    """Return the least id that no fleet of the table has or had."""
    return int(fleets.columns["id"].values[-1]) + 1 if fleets.rows else 0


def _tail(table: Table, first: int) -> Table:
    labels = {name: texts[first:] for name, texts in table.labels.items()}
    columns = {
        name: Column(column.values[first:], column.refers_to, column.prefix) for name, column in table.columns.items()
    }
    return Table(table.rows - first, columns, labels, table.prefix)


def _take(table: Table, rows: NDArray[np.int64]) -> dict[str, Column]:
    return {
        name: Column(memoryview(np.asarray(column.values)[rows]), column.refers_to, column.prefix)
        for name, column in table.columns.items()
    }
