"""Delta frames, in the format of `sector.models.delta`, from two states."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from pydantic import JsonValue

from sector.models.frame import Column, Frame, Table
from sector.world.codec import faction_columns, fleets_table
from sector.world.record import LONG, narrow
from sector.world.state import FLEET_DTYPES, Factions, Fleets, WorldState

_MAX_CHANGED_SHARE = 0.75
"""If more than this share of many rows changed, as with growth, the delta has the values of all rows and no column of
row numbers.
"""

type _Part = tuple[str, NDArray[np.generic], NDArray[np.generic], str | None]
"""A column: its name, its values before and after the tick, and the table that it refers to."""


def delta_frame(
    before: WorldState, after: WorldState, landed: NDArray[np.int64], meta: Mapping[str, JsonValue]
) -> Frame:
    """Return the delta from `before` to `after`. `meta`: the meta of the later snapshot.

    `landed`: the ids of the fleets that landed, ascending. Systems and factions do not change rows, and new factions are
    the last ones.
    """
    tables: dict[str, Table] = {}
    changed = _changed(
        ("owner", before.owner, after.owner, "factions"),
        ("ships", before.ships, after.ships, None),
    )
    if changed is not None:
        tables["systems.changed"] = changed
    _add_factions(tables, before.factions, after.factions)
    _add_fleets(tables, before.fleets, after.fleets, landed)
    return Frame("delta", meta, tables)


def _add_factions(tables: dict[str, Table], before: Factions, after: Factions) -> None:
    changed = _changed(
        ("supply", before.supply, after.supply, None),
        ("puppet", before.puppet, after.puppet, None),
        ("alive", before.alive, after.alive, None),
        ("home", before.home, after.home, "systems"),
    )
    if changed is not None:
        tables["factions.changed"] = changed
    if len(after.ids) > (old_count := len(before.ids)):
        columns = faction_columns(
            after.supply[old_count:], after.puppet[old_count:], after.alive[old_count:], after.home[old_count:]
        )
        labels = {"id": after.ids[old_count:], "colour": after.colours[old_count:]}
        tables["factions.added"] = Table(len(after.ids) - old_count, columns, labels)


def _add_fleets(tables: dict[str, Table], before: Fleets, after: Fleets, landed: NDArray[np.int64]) -> None:
    """Add the fleets with new ids, which are at the end.

    A fleet that departs and lands in the same tick is not in the delta.
    """
    if after is before:
        return
    next_fleet = int(before.id[-1]) + 1 if len(before.id) else 0
    gone = landed[: np.searchsorted(landed, next_fleet)] if len(landed) else landed
    if len(gone):
        tables["fleets.removed"] = Table(len(gone), {"id": Column(memoryview(narrow(gone)))})
    if len(after.id) > (old_count := len(before.id) - len(gone)):
        tables["fleets.added"] = fleets_table(Fleets(*(getattr(after, name)[old_count:] for name in FLEET_DTYPES)))


def _changed(*parts: _Part) -> Table | None:
    """Return the columns that changed, with all rows in which any of them changed, or None without a change."""
    differs: NDArray[np.bool_] | None = None
    changed: list[tuple[str, NDArray[np.generic], str | None]] = []
    for name, old, new, refers_to in parts:
        # A column without changes is the same object. It may have got more rows.
        if new is not old and np.count_nonzero(unlike := new[: len(old)] != old):
            differs = unlike if differs is None else differs | unlike
            changed.append((name, new, refers_to))
    if differs is None:
        return None
    rows = differs.nonzero()[0]
    if len(rows) >= LONG and len(rows) > _MAX_CHANGED_SHARE * len(differs):
        count = len(differs)
        return Table(count, {name: Column(memoryview(narrow(new[:count])), of) for name, new, of in changed})
    columns = {name: Column(memoryview(narrow(new[rows])), of) for name, new, of in changed}
    columns["row"] = Column(memoryview(narrow(rows.astype(np.int32))))
    return Table(len(rows), columns)
