"""What changed from one state to the next, as the delta frame of `sector.models.delta`."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from pydantic import JsonValue

from sector.models.frame import Column, Frame, Table
from sector.world.codec import faction_columns, fleets_table, system_columns
from sector.world.record import LONG, narrow
from sector.world.state import FLEET_DTYPES, Factions, Fleets, WorldState

_MOST = 0.75
"""Where more than this part of many systems changed, which is what growth does, all are told: their rows need no column."""


def delta_frame(
    before: WorldState, after: WorldState, landed: NDArray[np.int64], meta: Mapping[str, JsonValue]
) -> Frame:
    """Return the delta that leads from `before` to `after`; `meta` is that of the snapshot after.

    `landed`: ids of the fleets that are gone, ascending. Systems and factions keep their rows, and factions get new ones at the end.
    """
    tables: dict[str, Table] = {}
    rows = _differing((before.owner, after.owner), (before.ships, after.ships))
    if len(rows) > _MOST * len(after.owner) and len(rows) >= LONG:
        tables["systems.changed"] = Table(len(after.owner), system_columns(narrow(after.owner), narrow(after.ships)))
    elif len(rows):
        columns = system_columns(narrow(after.owner[rows]), narrow(after.ships[rows]))
        tables["systems.changed"] = _changed(rows, columns)
    _tell_factions(tables, before.factions, after.factions)
    _tell_fleets(tables, before.fleets, after.fleets, landed)
    return Frame("delta", meta, tables)


def _tell_factions(tables: dict[str, Table], before: Factions, after: Factions) -> None:
    parts = [(getattr(before, name), getattr(after, name)) for name in ("supply", "puppet", "alive", "home")]
    rows = _differing(*parts)
    if len(rows):
        tables["factions.changed"] = _changed(rows, faction_columns(*(new[rows] for _, new in parts)))
    if len(after.ids) > (kept := len(before.ids)):
        columns = faction_columns(*(new[kept:] for _, new in parts))
        labels = {"id": after.ids[kept:], "colour": after.colours[kept:]}
        tables["factions.added"] = Table(len(after.ids) - kept, columns, labels)


def _tell_fleets(tables: dict[str, Table], before: Fleets, after: Fleets, landed: NDArray[np.int64]) -> None:
    """Fleets are added at the end, in ascending order of their ids. One that lands as it departs was never there."""
    if after is before:
        return
    next_fleet = int(before.id[-1]) + 1 if len(before.id) else 0
    gone = landed[: np.searchsorted(landed, next_fleet)] if len(landed) else landed
    if len(gone):
        tables["fleets.removed"] = Table(len(gone), {"id": Column(memoryview(narrow(gone)))})
    if len(after.id) > (kept := len(before.id) - len(gone)):
        tables["fleets.added"] = fleets_table(Fleets(*(getattr(after, name)[kept:] for name in FLEET_DTYPES)))


def _differing(*parts: tuple[NDArray[np.generic], NDArray[np.generic]]) -> NDArray[np.intp]:
    """Return the rows that are in the first column and not alike in the second, in any of the pairs; ascending."""
    differs: NDArray[np.bool_] | None = None
    for old, new in parts:
        if new is not old:
            unlike = new[: len(old)] != old
            differs = unlike if differs is None else differs | unlike
    return np.empty(0, np.intp) if differs is None else differs.nonzero()[0]


def _changed(rows: NDArray[np.intp], columns: dict[str, Column]) -> Table:
    columns["row"] = Column(memoryview(narrow(rows.astype(np.int32))))
    return Table(len(rows), columns)
