"""SectorWorld: the rules of Sector behind the World protocol of `sector.state`."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sector.models import LoggedOrder, SimConfig, Step
from sector.models.frame import Frame, decode, digest, encode
from sector.world.codec import galaxy_of, map_frame, snapshot_frame, state_of
from sector.world.delta import delta_frame
from sector.world.draft import draft_of
from sector.world.galaxy import generate
from sector.world.orders import enter
from sector.world.state import FLEET_DTYPES, NEUTRAL, Factions, Fleets, WorldState
from sector.world.tick import advance
from sector.world.victory import DRAW


@dataclass(frozen=True, slots=True)
class Position:
    """A state, the snapshot that encodes it, and the digest of that."""

    state: WorldState
    frame: Frame
    digest: str


class SectorWorld:
    """The world of systems, lanes, factions and fleets."""

    def found(self, config: SimConfig) -> tuple[bytes, bytes]:
        """Return (map, snapshot) of tick 0: the puppets are in, all else is neutral. Raises GalaxyError."""
        galaxy, garrison = generate(config)
        empty = WorldState(
            config=config,
            galaxy=galaxy,
            tick=0,
            status="running",
            winner=DRAW,
            next_fleet=0,
            owner=np.full(config.systems, NEUTRAL, np.int16),
            ships=garrison,
            factions=Factions(
                (), np.empty(0, np.int64), np.empty(0, np.bool_), np.empty(0, np.bool_), np.empty(0, np.int32)
            ),
            fleets=Fleets(*(np.empty(0, dtype) for dtype in FLEET_DTYPES.values())),
        )
        draft = draft_of(empty)
        for puppet in config.puppets:
            enter(draft, puppet, puppet=True)
        founded = WorldState(
            config, galaxy, 0, "running", DRAW, 0, draft.owner, draft.ships, draft.factions(), empty.fleets
        )
        return encode(map_frame(galaxy)), encode(snapshot_frame(founded, parent=""))

    def load(self, config: SimConfig, map_blob: bytes, snapshot: bytes) -> Position:
        """Return the state in a snapshot. Raises FrameError."""
        frame = decode(snapshot)
        return Position(state_of(config, galaxy_of(decode(map_blob)), frame), frame, digest(snapshot))

    def advance(self, state: Position, orders: Sequence[LoggedOrder]) -> Step[Position]:
        """Return the step to the next tick. Raises ValueError for a finished sim."""
        after, events = advance(state.state, orders)
        frame = snapshot_frame(after, parent=state.digest)
        snapshot = encode(frame)
        delta = encode(delta_frame(state.frame, frame))
        return Step(Position(after, frame, digest(snapshot)), snapshot, delta, events, after.status == "finished")
