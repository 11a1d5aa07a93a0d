"""Conversion of frames to rows, as clients read them. It needs no knowledge of the world."""

from bisect import bisect_left
from collections.abc import Sequence

from pydantic import JsonValue

from sector.models.frame import Column, Frame, FrameError, Table

type Row = dict[str, JsonValue]


def row_ids(table: Table) -> list[str]:
    """Return the id of each row of a table, in the order of the rows."""
    if "id" in table.labels:
        return list(table.labels["id"])
    numbers = table.columns["id"].values.tolist() if "id" in table.columns else range(table.rows)
    return [f"{table.prefix}{number}" for number in numbers]


def has_row(table: Table, row_id: str) -> bool:
    """Say whether a row of `table` has this id, in canonical spelling: `S07` is not the id of a row."""
    if "id" in table.labels:
        return row_id in table.labels["id"]
    number = row_id.removeprefix(table.prefix)
    if not number.isdecimal() or row_id != f"{table.prefix}{int(number)}":
        return False
    return int(number) in table.columns["id"].values if "id" in table.columns else int(number) < table.rows


def _values(column: Column, ids: dict[str, list[str]]) -> list[JsonValue]:
    if column.prefix:
        return [None if number < 0 else f"{column.prefix}{number}" for number in column.values]
    if column.refers_to is None:
        return list(column.values)
    names = ids.get(column.refers_to, [])
    try:
        return [None if row < 0 else names[row] for row in column.values]
    except IndexError as error:
        raise FrameError(f"a row of {column.refers_to} is outside its {len(names)} rows") from error


def table_columns(frames: Sequence[Frame]) -> dict[str, dict[str, Sequence[JsonValue]]]:
    """Return each table of `frames` as columns: lists of JSON values by name.

    Tables of the same name are merged. The columns of a map and of a snapshot together make complete systems. Raises
    FrameError if columns of one table have different lengths, or if a reference points to a missing row.
    """
    ids: dict[str, list[str]] = {}
    for frame in frames:
        for name, table in frame.tables.items():
            ids.setdefault(name, row_ids(table))
    columns: dict[str, dict[str, Sequence[JsonValue]]] = {}
    for frame in frames:
        for name, table in frame.tables.items():
            merged = columns.setdefault(name, {"id": ids[name]})
            merged.update({label: texts for label, texts in table.labels.items() if label != "id"})
            merged.update({n: _values(c, ids) for n, c in table.columns.items() if n != "id"})
    for name, merged in columns.items():
        if len(lengths := {len(values) for values in merged.values()}) > 1:
            raise FrameError(f"{name} has columns of {min(lengths)} and of {max(lengths)} rows")
    return columns


def table_rows(frames: Sequence[Frame]) -> dict[str, list[Row]]:
    """Return each table of `frames` as rows, merged as by `table_columns`. Raises FrameError as that does."""
    return {
        name: [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]
        for name, columns in table_columns(frames).items()
    }


def event_rows(frame: Frame, start: int = 0, limit: int | None = None) -> list[Row]:
    """Return the events with the numbers `start` to `start + limit` (exclusive) of a frame of kind `events`, in their order.

    Each table with an ascending column `n` contains the events of the type that is its name. `n` is the number of each event in the
    tick. If the numbers of a type are consecutive, the meta `first` may state the first one instead of a column `n`.
    A table `type.field` with a column `of` contains rows that belong to row `of` of table `type`. They become a list in
    its `field`. Raises FrameError.
    """
    stop = 2**31 if limit is None else start + limit
    ids = {name: list(table.labels["id"]) for name, table in frame.tables.items() if "id" in table.labels}
    row_by_number: dict[int, Row] = {}
    for name, table in frame.tables.items():
        numbers = _numbers(frame, name)
        if numbers is None:
            continue
        first, last = bisect_left(numbers, start), bisect_left(numbers, stop)
        rows = _part(table, first, last, ids)
        for child_name, child in frame.tables.items():
            if child_name.startswith(f"{name}."):
                _attach(rows, child_name.removeprefix(f"{name}."), child, first, ids)
        row_by_number |= {
            n: {"type": name, "tick": frame.meta.get("tick")} | row
            for n, row in zip(numbers[first:last], rows, strict=True)
        }
    return [row_by_number[n] for n in sorted(row_by_number)]


def _numbers(frame: Frame, kind: str) -> Sequence[int] | None:
    """Return the number of each event of a type, or None if the table `kind` contains no events."""
    table, firsts = frame.tables[kind], frame.meta.get("first")
    if "n" in table.columns:
        return table.columns["n"].values
    first = firsts.get(kind) if isinstance(firsts, dict) else None
    return range(first, first + table.rows) if isinstance(first, int) else None


def _part(table: Table, first: int, last: int, ids: dict[str, list[str]]) -> list[Row]:
    values: dict[str, Sequence[JsonValue]] = {label: texts[first:last] for label, texts in table.labels.items()}
    for name, column in table.columns.items():
        if name not in ("n", "of"):
            values[name] = _values(Column(column.values[first:last], column.refers_to, column.prefix), ids)
    if not values:
        return [{} for _ in range(first, last)]
    return [dict(zip(values, row, strict=True)) for row in zip(*values.values(), strict=True)]


def _attach(rows: list[Row], field: str, child: Table, first: int, ids: dict[str, list[str]]) -> None:
    """Store the rows of `child` as the list `field` of the rows that they belong to. `first`: the row number of `rows[0]`."""
    if "of" not in child.columns:
        raise FrameError(f"table {field} has rows without an event")
    of = child.columns["of"].values
    begin, end = bisect_left(of, first), bisect_left(of, first + len(rows))
    lists: list[list[JsonValue]] = [[] for _ in rows]
    for index, child_row in zip(of[begin:end], _part(child, begin, end, ids), strict=True):
        if not first <= index < first + len(rows):
            raise FrameError(f"the rows of table {field} are not in the order of their events")
        lists[index - first].append(child_row)
    for row, children in zip(rows, lists, strict=True):
        row[field] = children
