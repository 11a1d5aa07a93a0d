"""What changed from one state to the next, as the delta frame of `sector.models.delta`."""

import numpy as np
from numpy.typing import NDArray

from sector.models.frame import Column, Frame, Table
from sector.world.record import narrow


def delta_frame(before: Frame, after: Frame, landed: NDArray[np.int64]) -> Frame:
    """Return the delta that leads from the snapshot `before` to `after`. `landed`: ids of fleets that are gone, ascending.

    Tables keep their rows, and get new ones at the end; only fleets are removed.
    """
    tables: dict[str, Table] = {}
    for name, new in after.tables.items():
        old = before.tables[name]
        kept = old.rows
        if name == "fleets":
            # Added at the end, in ascending order of their ids. One that lands as it departs was never there.
            gone = landed[: np.searchsorted(landed, _next(old))] if len(landed) else landed
            kept -= len(gone)
            if len(gone):
                tables["fleets.removed"] = Table(len(gone), {"id": Column(memoryview(narrow(gone)))})
        elif len(rows := _changed(old, new)):
            of_row = {"row": Column(memoryview(narrow(rows.astype(np.int32))))}
            tables[f"{name}.changed"] = Table(len(rows), _take(new, rows) | of_row)
        if new.rows > kept:
            tables[f"{name}.added"] = _tail(new, kept)
    return Frame("delta", after.meta, tables)


def _changed(old: Table, new: Table) -> NDArray[np.intp]:
    """Return the rows in which some column differs, ascending."""
    differs = np.zeros(old.rows, bool)
    for name, column in new.columns.items():
        differs |= np.asarray(column.values)[: old.rows] != np.asarray(old.columns[name].values)
    return np.flatnonzero(differs)


def _next(fleets: Table) -> int:
    """Return the least id that no fleet of the table has or had."""
    return int(fleets.columns["id"].values[-1]) + 1 if fleets.rows else 0


def _tail(table: Table, first: int) -> Table:
    labels = {name: texts[first:] for name, texts in table.labels.items()}
    columns = {
        name: Column(column.values[first:], column.refers_to, column.prefix) for name, column in table.columns.items()
    }
    return Table(table.rows - first, columns, labels, table.prefix)


def _take(table: Table, rows: NDArray[np.intp]) -> dict[str, Column]:
    return {
        name: Column(memoryview(narrow(np.asarray(column.values)[rows])), column.refers_to, column.prefix)
        for name, column in table.columns.items()
    }
