"""Deltas: what leads from one snapshot to the next, applied without knowing the world.

A delta is a frame of kind `delta`. Its meta is the meta of the snapshot after. For a table `t` of the snapshot it may hold
`t.changed` (column `row`, and the new values of the other columns there), `t.removed` (column `id`) and `t.added` (whole rows,
appended). They are applied in this order. The digest of the result is the state hash of the snapshot after.
"""

from array import array
from collections.abc import Sequence

from sector.models.frame import Column, Frame, Table


class DeltaError(ValueError):
    """A delta that does not fit the snapshot it is applied to."""


def apply_delta(snapshot: Frame, delta: Frame) -> Frame:
    """Return the snapshot after `delta`. Raises DeltaError if it does not follow the given one."""
    if delta.meta.get("tick") != _tick(snapshot) + 1:
        raise DeltaError(f"a delta to tick {delta.meta.get('tick')} does not follow tick {_tick(snapshot)}")
    tables = dict(snapshot.tables)
    for name, part in sorted(
        delta.tables.items(), key=lambda item: ("changed", "removed", "added").index(_verb(item[0]))
    ):
        table_name, verb = name.rsplit(".", 1)
        if table_name not in tables:
            raise DeltaError(f"{name}: the snapshot has no table {table_name}")
        tables[table_name] = {"changed": _changed, "removed": _removed, "added": _added}[verb](tables[table_name], part)
    return Frame("snapshot", delta.meta, tables)


def _tick(frame: Frame) -> int:
    tick = frame.meta.get("tick")
    if not isinstance(tick, int):
        raise DeltaError(f"a {frame.kind} without a tick")
    return tick


def _verb(name: str) -> str:
    verb = name.rpartition(".")[2]
    if verb not in ("changed", "removed", "added"):
        raise DeltaError(f"{name}: neither changed, removed nor added")
    return verb


def _column(like: Column, values: Sequence[int]) -> Column:
    if like.typecode == "?":
        return Column(memoryview(bytes(values)).cast("?"), like.refers_to, like.prefix)
    return Column(memoryview(array(like.typecode, values)), like.refers_to, like.prefix)


def _changed(table: Table, part: Table) -> Table:
    rows = part.columns["row"].values.tolist()
    if rows and not 0 <= min(rows) <= max(rows) < table.rows:
        raise DeltaError(f"a change of row {max(rows)} in a table of {table.rows}")
    columns = dict(table.columns)
    for name, new in part.columns.items():
        if name != "row":
            values = columns[name].values.tolist()
            for row, value in zip(rows, new.values, strict=True):
                values[row] = value
            columns[name] = _column(columns[name], values)
    return Table(table.rows, columns, table.labels, table.prefix)


def _removed(table: Table, part: Table) -> Table:
    gone = set(part.columns["id"].values)
    kept = [row for row, row_id in enumerate(table.columns["id"].values) if row_id not in gone]
    if len(kept) + len(gone) != table.rows:
        raise DeltaError("a removal of rows that are not there")
    columns = {name: _column(c, [c.values[row] for row in kept]) for name, c in table.columns.items()}
    return Table(len(kept), columns, table.labels, table.prefix)


def _added(table: Table, part: Table) -> Table:
    columns = {name: _column(c, [*c.values, *part.columns[name].values]) for name, c in table.columns.items()}
    labels = {name: (*texts, *part.labels[name]) for name, texts in table.labels.items()}
    return Table(table.rows + part.rows, columns, labels, table.prefix)
