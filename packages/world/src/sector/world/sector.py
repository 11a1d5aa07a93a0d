"""SectorWorld: the rules of Sector behind the World protocol of `sector.state`."""

import warnings
from collections.abc import Sequence
from copy import replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from sector.models import LoggedOrder, SimConfig, Step
from sector.models.deprecated_names import adopt_earlier_overrides, deprecated_names, is_adopted
from sector.models.frame import Frame, decode, digest, encode
from sector.world.codec import events_frame, galaxy_of, map_frame, snapshot_frame, state_of
from sector.world.delta import delta_frame
from sector.world.generate import generate
from sector.world.map_conversion import galaxy_from_map
from sector.world.mutable_state import MutableState
from sector.world.state import NEUTRAL, NO_FACTIONS, NO_FLEETS, WorldState
from sector.world.tick import advance
from sector.world.victory import DRAW


class Position(NamedTuple):
    """A state with the snapshot that encodes it and the digest of that snapshot."""

    state: WorldState
    frame: Frame
    digest: str


class SectorWorld:
    """The world of systems, lanes, factions and fleets. It implements `sector.state.world.World`."""

    def __init_subclass__(cls, **kwargs: object) -> None:
        super().__init_subclass__(**kwargs)
        adopt_earlier_overrides(cls, {"found": "create"})

    def create(self, config: SimConfig) -> tuple[bytes, bytes]:
        """Return the map and the snapshot of tick 0, both as encoded frames.

        Players and puppets have joined, and all other systems are neutral. Raises GalaxyError.
        """
        state = initial_state(config)
        return encode(map_frame(state.galaxy)), encode(snapshot_frame(state, parent=""))

    def found(self, config: SimConfig) -> tuple[bytes, bytes]:
        """Return the result of `create`. Deprecated: this is the name before 0.7."""
        warnings.warn("SectorWorld.found is now create", DeprecationWarning, stacklevel=2)
        if is_adopted(type(self), "found", "create"):
            # An override of `found`, which stands for `create` too, called this one.
            return SectorWorld.create(self, config)
        return self.create(config)

    def load(self, config: SimConfig, map_blob: bytes, snapshot: bytes) -> Position:
        """Return the state in a snapshot.

        `map_blob`: the encoded map of the sim. Raises FrameError if one does not fit the other.
        """
        frame = decode(snapshot)
        return Position(state_of(config, galaxy_of(decode(map_blob)), frame), frame, digest(snapshot))

    def advance(self, state: Position, orders: Sequence[LoggedOrder]) -> Step[Position]:
        """Return the step to the next tick. Raises ValueError if the sim has finished."""
        tick = advance(state.state, orders)
        frame = snapshot_frame(tick.state, parent=state.digest)
        snapshot = encode(frame)
        delta = encode(delta_frame(state.state, tick.state, tick.landed, frame.meta))
        events = encode(events_frame(tick, orders))
        after = Position(tick.state, frame, digest(snapshot))
        return Step(after, snapshot, delta, events, tick.state.status == "finished")


def initial_state(config: SimConfig) -> WorldState:
    """Return the state at tick 0. Raises GalaxyError."""
    galaxy, garrison = generate(config) if config.map is None else galaxy_from_map(config.map, config)
    owner = np.full(len(garrison), NEUTRAL, np.int16)
    state = WorldState(config, galaxy, 0, "running", DRAW, 0, owner, garrison, NO_FACTIONS, NO_FLEETS)
    mutable = MutableState.from_state(state, orders=0)
    for player in config.players:
        mutable.enter(player, puppet=False)
    for puppet in config.puppets:
        mutable.enter(puppet.faction, puppet=True)
    return replace(state, owner=mutable.owner, ships=mutable.ships, factions=mutable.factions())


if not TYPE_CHECKING:  # (a type checker would allow any name)
    __getattr__ = deprecated_names(__name__, {"founded": "initial_state"})
