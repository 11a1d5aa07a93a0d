"""What changed from one state to the next, as the delta frame of `sector.models.delta`."""

import numpy as np
from numpy.typing import NDArray

from sector.models.frame import Column, Frame, Table


def delta_frame(before: Frame, after: Frame) -> Frame:
    """Return the delta that leads from the snapshot `before` to `after`. Tables keep their rows, but for those with ids."""
    tables: dict[str, Table] = {}
    for name, new in after.tables.items():
        old = before.tables[name]
        parts = _by_id(old, new) if "id" in new.columns else _by_row(old, new)
        tables |= {f"{name}.{verb}": part for verb, part in parts.items() if part.rows}
    return Frame("delta", after.meta, tables)


def _take(table: Table, rows: NDArray[np.int64]) -> dict[str, Column]:
    return {
        name: Column(memoryview(np.asarray(column.values)[rows]), column.refers_to)
        for name, column in table.columns.items()
    }


def _by_row(old: Table, new: Table) -> dict[str, Table]:
    differs = np.zeros(old.rows, bool)
    for name, column in new.columns.items():
        differs |= np.asarray(column.values)[: old.rows] != np.asarray(old.columns[name].values)
    rows = np.flatnonzero(differs)
    changed = _take(new, rows) | {"row": Column(memoryview(rows.astype(np.int32)))}
    return {"changed": Table(len(rows), changed), "added": _tail(new, old.rows)}


def _by_id(old: Table, new: Table) -> dict[str, Table]:
    """Rows with ids are added at the end, in ascending order, and otherwise only removed."""
    old_id, new_id = np.asarray(old.columns["id"].values), np.asarray(new.columns["id"].values)
    gone = old_id[~np.isin(old_id, new_id)]
    return {
        "removed": Table(len(gone), {"id": Column(memoryview(gone))}),
        "added": _tail(new, old.rows - len(gone)),
    }


def _tail(table: Table, first: int) -> Table:
    labels = {name: texts[first:] for name, texts in table.labels.items()}
    return Table(table.rows - first, _take(table, np.arange(first, table.rows)), labels, table.prefix)
