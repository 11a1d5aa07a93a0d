"""Conversion between WorldState and frames: the snapshot has what changes, and the map has what does not."""

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import JsonValue

from sector.models import LoggedOrder, SimConfig
from sector.models.field_types import MAX_SHIPS
from sector.models.frame import Column, Frame, FrameError, Table
from sector.models.mapfile import MAX_RATE
from sector.world.galaxy import Galaxy
from sector.world.state import MAX_FLEETS, NEUTRAL, Factions, Fleets, WorldState
from sector.world.tick import TickResult
from sector.world.victory import LAST_TICK


def _column(values: NDArray[np.generic], refers_to: str | None = None) -> Column:
    return Column(memoryview(np.ascontiguousarray(values)), refers_to)


def _array[D: np.generic](frame: Frame, table: str, name: str, dtype: type[D]) -> NDArray[D]:
    try:
        values = frame.tables[table].columns[name].values
    except KeyError as error:
        raise FrameError(f"the {frame.kind} lacks {table}.{name}") from error
    column = np.asarray(values)
    if column.dtype != np.dtype(dtype):
        raise FrameError(f"{table}.{name} holds {column.dtype}, not {np.dtype(dtype)}")
    return column.astype(dtype, copy=False)


def map_frame(galaxy: Galaxy) -> Frame:
    """Return the map as a frame with the tables `systems`, `lanes` and `homes`.

    Factions get homes in the order of the rows.
    """
    systems = {
        "x": _column(galaxy.x),
        "y": _column(galaxy.y),
        "growth": _column(galaxy.growth),
        "supply_yield": _column(galaxy.supply_yield),
    }
    lanes = {
        "a": _column(galaxy.lane_a, "systems"),
        "b": _column(galaxy.lane_b, "systems"),
        "length": _column(galaxy.lane_length),
    }
    tables = {
        "systems": Table(len(galaxy.names), systems, {"name": galaxy.names}, "S"),
        "lanes": Table(len(galaxy.lane_a), lanes, prefix="L"),
        "homes": Table(len(galaxy.home), {"system": _column(galaxy.home, "systems")}, prefix="H"),
    }
    return Frame("map", {}, tables)


def galaxy_of(frame: Frame) -> Galaxy:
    """Return the map in a frame.

    Raises FrameError if a column is missing, has another dtype, or has a value out of range.
    """
    if frame.kind != "map":
        raise FrameError(f"the frame is a {frame.kind}, not a map")
    if "name" not in frame.tables.get("systems", Table(0)).labels:
        raise FrameError("the map lacks the names of its systems")
    galaxy = Galaxy(
        names=frame.tables["systems"].labels["name"],
        x=_array(frame, "systems", "x", np.int32),
        y=_array(frame, "systems", "y", np.int32),
        growth=_array(frame, "systems", "growth", np.int32),
        supply_yield=_array(frame, "systems", "supply_yield", np.int32),
        lane_a=_array(frame, "lanes", "a", np.int32),
        lane_b=_array(frame, "lanes", "b", np.int32),
        lane_length=_array(frame, "lanes", "length", np.int32),
        home=_array(frame, "homes", "system", np.int32),
    )
    last = len(galaxy.names) - 1
    for name, rows in (("lanes.a", galaxy.lane_a), ("lanes.b", galaxy.lane_b), ("homes.system", galaxy.home)):
        _within(name, rows, 0, last)
    _within("lanes.length", galaxy.lane_length, 1, np.iinfo(np.int32).max)
    for name, rates in (("systems.growth", galaxy.growth), ("systems.supply_yield", galaxy.supply_yield)):
        _within(name, rates, 0, MAX_RATE)
    return galaxy


def faction_columns(
    supply: NDArray[np.int64], puppet: NDArray[np.bool_], alive: NDArray[np.bool_], home: NDArray[np.int32]
) -> dict[str, Column]:
    """Return the columns of the table `factions`. The columns are views of the arrays."""
    return {
        "supply": Column(memoryview(supply)),
        "puppet": Column(memoryview(puppet)),
        "alive": Column(memoryview(alive)),
        "home": Column(memoryview(home), "systems"),
    }


def fleets_table(fleets: Fleets) -> Table:
    """Return the table `fleets`. Its columns are views of the arrays."""
    columns = {
        "id": Column(memoryview(fleets.id)),
        "owner": Column(memoryview(fleets.owner), "factions"),
        "origin": Column(memoryview(fleets.origin), "systems"),
        "target": Column(memoryview(fleets.target), "systems"),
        "ships": Column(memoryview(fleets.ships)),
        "departed": Column(memoryview(fleets.departed)),
        "arrives": Column(memoryview(fleets.arrives)),
    }
    return Table(len(fleets.id), columns, prefix="F")


def snapshot_frame(state: WorldState, parent: str) -> Frame:
    """Return a state as a frame of kind `snapshot`.

    `parent`: the digest of the snapshot before it, which chains the state hashes.
    """
    meta = {
        "tick": state.tick,
        "status": state.status,
        "winner": state.factions.ids[state.winner] if state.winner >= 0 else None,
        "next_fleet": state.next_fleet,
        "parent": parent,
    }
    systems = {"owner": Column(memoryview(state.owner), "factions"), "ships": Column(memoryview(state.ships))}
    factions = state.factions
    columns = faction_columns(factions.supply, factions.puppet, factions.alive, factions.home)
    tables = {
        "systems": Table(len(state.owner), systems, prefix="S"),
        "factions": Table(len(factions.ids), columns, {"id": factions.ids, "colour": factions.colours}),
        "fleets": fleets_table(state.fleets),
    }
    return Frame("snapshot", meta, tables)


def events_frame(tick: TickResult, orders: Sequence[LoggedOrder]) -> Frame:
    """Return the events of a tick as a frame of kind `events`. `orders`: the orders that the log had for the tick."""
    meta: dict[str, JsonValue] = {"tick": tick.state.tick}
    tables, firsts = tick.record.tables()
    if firsts:
        meta["first"] = {**firsts}
    if tables:
        ids = tick.state.factions.ids
        tables["factions"] = Table(len(ids), labels={"id": ids})
    if orders:
        tables["orders"] = Table(len(orders), labels={"id": tuple(order.id for order in orders)})
    return Frame("events", meta, tables)


def state_of(config: SimConfig, galaxy: Galaxy, frame: Frame) -> WorldState:
    """Return the state in a snapshot. Raises FrameError if the frame is not a snapshot of this map."""
    if frame.kind != "snapshot":
        raise FrameError(f"the frame is a {frame.kind}, not a snapshot")
    owner = _array(frame, "systems", "owner", np.int16)
    if len(owner) != len(galaxy.names):
        raise FrameError(f"the snapshot has {len(owner)} systems, and the map {len(galaxy.names)}")
    if "factions" not in frame.tables or "id" not in frame.tables["factions"].labels:
        raise FrameError("the snapshot lacks the ids of its factions")
    ids = frame.tables["factions"].labels["id"]
    tick, next_fleet, winner = (frame.meta.get(name) for name in ("tick", "next_fleet", "winner"))
    if not isinstance(tick, int) or not isinstance(next_fleet, int) or not 0 <= tick <= LAST_TICK:
        raise FrameError("the snapshot lacks tick or next_fleet")
    if not 0 <= next_fleet < 2**62:
        raise FrameError(f"the snapshot has the invalid next_fleet {next_fleet}")
    if winner is not None and winner not in ids:
        raise FrameError(f"the winner {winner} is not a faction of the snapshot")
    status: Literal["running", "finished"] = "finished" if frame.meta.get("status") == "finished" else "running"
    state = WorldState(
        config=config,
        galaxy=galaxy,
        tick=tick,
        status=status,
        winner=ids.index(winner) if isinstance(winner, str) else -1,
        next_fleet=next_fleet,
        owner=owner,
        ships=_array(frame, "systems", "ships", np.int64),
        factions=Factions(
            ids,
            _array(frame, "factions", "supply", np.int64),
            _array(frame, "factions", "puppet", np.bool_),
            _array(frame, "factions", "alive", np.bool_),
            _array(frame, "factions", "home", np.int32),
        ),
        fleets=Fleets(
            id=_array(frame, "fleets", "id", np.int64),
            owner=_array(frame, "fleets", "owner", np.int16),
            origin=_array(frame, "fleets", "origin", np.int32),
            target=_array(frame, "fleets", "target", np.int32),
            ships=_array(frame, "fleets", "ships", np.int64),
            departed=_array(frame, "fleets", "departed", np.int32),
            arrives=_array(frame, "fleets", "arrives", np.int32),
        ),
    )
    _check(state)
    return state


def _check(state: WorldState) -> None:
    """Raise FrameError if a column has a value that no tick can produce and that a later tick could not handle."""
    systems, factions, fleets = len(state.owner), len(state.factions.ids), state.fleets
    if len(set(state.factions.ids)) != factions:
        raise FrameError("two factions have the same id")
    _within("systems.owner", state.owner, NEUTRAL, factions - 1)
    _within("systems.ships", state.ships, 0, MAX_SHIPS)
    _within("factions.supply", state.factions.supply, 0, MAX_SHIPS)
    _within("factions.home", state.factions.home, 0, systems - 1)
    _within("fleets.owner", fleets.owner, 0, factions - 1)
    _within("fleets.ships", fleets.ships, 0, MAX_SHIPS)
    _within("fleets.arrives", fleets.arrives, state.tick + 1, np.iinfo(np.int32).max)
    for name in ("origin", "target"):
        _within(f"fleets.{name}", getattr(fleets, name), 0, systems - 1)
    if len(fleets.id) > MAX_FLEETS:
        raise FrameError(f"{len(fleets.id)} fleets exceed the limit of {MAX_FLEETS}")
    if len(fleets.id) and (fleets.id[0] < 0 or fleets.id[-1] >= state.next_fleet or (np.diff(fleets.id) <= 0).any()):
        raise FrameError("the ids of the fleets do not ascend to next_fleet")


def _within(name: str, values: NDArray[np.signedinteger], least: int, most: int) -> None:
    if len(values) and not least <= int(values.min()) <= int(values.max()) <= most:
        raise FrameError(f"{name} reaches from {values.min()} to {values.max()}, beyond {least} to {most}")
