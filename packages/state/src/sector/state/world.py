"""World: the interface between the rules of a game and the engine. Another game needs one class with these methods."""

from collections.abc import Sequence
from typing import Protocol

from sector.models import LoggedOrder, SimConfig, Step


class World[S](Protocol):
    """A deterministic world.

    `S` is the type of its state, which is opaque to all other code. Maps, snapshots, deltas and events are encoded
    frames of `sector.models.frame`.
    """

    def create(self, config: SimConfig) -> tuple[bytes, bytes]:
        """Return the map and the snapshot of tick 0 for a config.

        Raises sector.models.step.WorldConfigError, with a public text, or another ValueError, whose text is only
        logged, if the config is not possible.
        """

    def load(self, config: SimConfig, map_blob: bytes, snapshot: bytes) -> S:
        """Return the state in a snapshot. Raises sector.models.frame.FrameError."""

    def advance(self, state: S, orders: Sequence[LoggedOrder]) -> Step[S]:
        """Return the step to the next tick. Equal states and orders must give equal bytes on every machine."""
